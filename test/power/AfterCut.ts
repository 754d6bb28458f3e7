import { layerWebCrypto } from "effect/crypto/SecureRandom"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import { existsSync, readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { ApiKeys } from "../../src/auth/ApiKeys.ts"
import { Tokens } from "../../src/auth/Tokens.ts"
import { Settings } from "../../src/config/Settings.ts"
import { Databases } from "../../src/ground/Databases.ts"
import { Disk } from "../../src/ground/Disk.ts"
import { Machine } from "../../src/ground/Machine.ts"
import { Threads } from "../../src/ground/Threads.ts"
import { Unfinished } from "../../src/recording/Unfinished.ts"
import { FileIndex } from "../../src/storage/FileIndex.ts"
import type { FileKind } from "../../src/storage/Names.ts"
import { RetentionPolicies } from "../../src/storage/RetentionPolicies.ts"
import { storage } from "../storage/Workbench.ts"
import { testSettings } from "../support/TestSettings.ts"
import { playableOf } from "./Footage.ts"
import {
  firstSeen,
  type History,
  lateSeconds,
  type Moment,
  possible,
  recordedAt,
  recordingsAt,
  saidDone,
  type Sample,
  sampleAt,
  slowestSync,
  stoppedAt
} from "./History.ts"

/** What is done beside a reply (a picture's sync, the end of a segment) is done within this. */
const besideMillis = 2000
/** Where the machine itself is late, each step of it is. */
const beside = (history: History): number => besideMillis + 4000 * lateSeconds(history)

/** Another start of the machine: the index may not be trusted. */
const databases = Layer.effect(
  Databases,
  Effect.map(Databases, (real) => Databases.of({ ...real, bootId: () => "after the power cut" }))
).pipe(Layer.provide(Databases.layer))

/** Nothing is deleted for want of room. */
const settings = (root: string) =>
  Layer.sync(Settings, () => testSettings({ data_dir: root, storage: { reserve_mb: 0, refuse_percent: 100 } }))

const rooms = (root: string) =>
  Layer.mergeAll(RetentionPolicies.layer, ApiKeys.layer.pipe(Layer.provide(Tokens.layer)), Unfinished.layer).pipe(
    Layer.provideMerge(storage(root, settings(root))),
    Layer.provide([Disk.layer, Machine.layer, databases, Threads.layer, layerWebCrypto]),
    Layer.provideMerge(Logger.layer([]))
  )

/** What is wrong after a power cut, and how many seconds of footage it cost at most. */
export interface Found {
  readonly broken: ReadonlyArray<string>
  readonly lostSeconds: number
}

/** There was something that is done beside and had to be done by then. */
export const hasPast = (history: History, moment: Moment): boolean => longBefore(history, moment) !== undefined

/** Starts what lasts on a data folder as a power cut has left it, and looks for what was promised and does not hold. */
export const lookAfter = (folder: string, history: History, moment: Moment): Effect.Effect<Found> =>
  Effect.gen(function* () {
    const broken: Array<string> = []
    const claim = (name: string, isTrue: boolean, detail: string): void => {
      if (!isTrue) broken.push(`${name}: ${detail}`)
    }
    const before = filesOf(folder)
    const footage = checkFootage(before, history, moment, claim)
    checkPictures(before, history, moment, claim)
    if (history.started <= moment.at) {
      const secret = "secrets/jwt_secret"
      claim("secrets last", isSame(before.get(secret), history.files.get(secret)), "another secret")
    }
    checkNames(before, history, moment, claim)

    yield* Effect.gen(function* () {
      const { all } = yield* (yield* RetentionPolicies).get
      const days = all?.policy_type === "age" ? all.max_age_days : undefined
      claim("the policy lasts", possible(history.policies, moment).includes(days), `${days} days`)
      const keys = new Map((yield* ApiKeys).list().map((key) => [key.id, key]))
      for (const id of saidDone(history.keys, moment)) claim("keys last", keys.has(id), id)
      for (const id of saidDone(history.revoked, moment)) {
        claim("what was revoked stays so", keys.get(id)?.revokedAt !== undefined || !keys.has(id), id)
      }
      const unfinished = new Set((yield* (yield* Unfinished).list).map(({ device }) => device))
      for (const camera of recordedAt(history, moment))
        claim(
          "recordings go on",
          unfinished.has(camera),
          `${camera}, beside ${[...unfinished]} at ${moment.at}; ${startsOf(history)}`
        )
      for (const camera of stoppedAt(history, moment))
        claim("what was stopped is over", !unfinished.has(camera), camera)
      const index = yield* FileIndex
      yield* index.reconcile
      for (const kind of ["recording", "snapshot"] as const) {
        const { files } = yield* index.list(kind, { limit: 1000, offset: 0, devices: undefined })
        const listed = files.map(({ bytes, filename }) => `${filename} ${bytes}`).toSorted()
        const there = thereOf(folder, kind)
        claim("the index is true", String(listed) === String(there), `${kind}s ${listed} are listed, of ${there}`)
      }
      const left = [...filesOf(folder).keys()].filter((path) => path.includes("/.tmp-"))
      claim("nothing half-written stays", left.length === 0, String(left))
    }).pipe(
      Effect.provide(rooms(folder)),
      Effect.catchCause((cause) => Effect.sync(() => claim("it starts", false, String(cause))))
    )
    return { broken, lostSeconds: footage }
  })

/** When each was asked for and answered, in bytes of the log. */
const startsOf = ({ starts }: History): string =>
  starts.map(({ begun, done, value }) => `${value} from ${begun} to ${done}`).join(", ")

type Claim = (name: string, isTrue: boolean, detail: string) => void

/** What was not synced is nothing, or zeros. */
const isBlank = (bytes: Buffer): boolean => bytes.every((byte) => byte === 0)

const isSame = (one: Buffer | undefined, other: Buffer | undefined): boolean =>
  one !== undefined && other !== undefined && one.equals(other)

const filesOf = (folder: string): ReadonlyMap<string, Buffer> => {
  const files = new Map<string, Buffer>()
  for (const within of ["", "recordings", "snapshots", "secrets"]) {
    const at = join(folder, within)
    if (!existsSync(at)) continue
    for (const entry of readdirSync(at, { withFileTypes: true })) {
      if (entry.isFile()) files.set(join(within, entry.name), readFileSync(join(at, entry.name)))
    }
  }
  return files
}

const thereOf = (folder: string, kind: FileKind): ReadonlyArray<string> =>
  [...filesOf(folder)]
    .filter(([path, bytes]) => path.startsWith(`${kind}s/`) && (kind === "recording" || !isBlank(bytes)))
    .map(([path, bytes]) => `${path.slice(kind.length + 2)} ${bytes.length}`)
    .toSorted()

/** A name once given stays; they are written one after the other, beside the start. */
const checkNames = (files: ReadonlyMap<string, Buffer>, history: History, moment: Moment, claim: Claim): void => {
  const all = namesIn(history.files.get("cameras.json")) ?? []
  const there = namesIn(files.get("cameras.json"))
  if (there === undefined) return claim("names last", false, "cameras.json is not whole")
  claim(
    "names last",
    there.every((name) => all.includes(name)),
    `${there} of ${all}`
  )
  if (longBefore(history, moment) !== undefined) claim("names last", there.length === all.length, `${there} of ${all}`)
}

/** Undefined: the file is there, and not whole. */
const namesIn = (bytes: Buffer | undefined): ReadonlyArray<string> | undefined => {
  try {
    return Object.entries(JSON.parse(bytes?.toString() ?? '{"cameras":{}}').cameras).map((entry) =>
      JSON.stringify(entry)
    )
  } catch {
    return undefined
  }
}

/** Files that were closed are whole; the others play up to what is lost. */
const checkFootage = (files: ReadonlyMap<string, Buffer>, history: History, moment: Moment, claim: Claim): number => {
  const sample = sampleAt(history, moment)
  if (sample === undefined) return 0
  const stopped = new Set(
    saidDone(history.stops, moment).flatMap(({ files: those, isOver: isSafe }) => (isSafe ? those : []))
  )
  const lost = new Map<string, number>()
  const isOver = overSince(history, sample.time - beside(history))
  for (const [name, bytes] of recordingsAt(history, moment)) {
    const after = files.get(`recordings/${name}`) ?? Buffer.alloc(0)
    const whole = history.files.get(`recordings/${name}`) ?? Buffer.alloc(0)
    // what is remuxed when there is time is whole as it was, too; where that was to be waited for, as it is then
    const written = history.written.get(name) ?? whole
    const isWhole = after.equals(whole) || (!stopped.has(name) && after.equals(written))
    if (stopped.has(name) || isOver(name)) {
      claim("closed recordings are whole", isWhole, `${name} has ${after.length} of ${whole.length} bytes`)
    }
    if (isWhole) continue
    const meanwhile = playableOf(written.subarray(0, bytes))
    const there = playableOf(after.subarray(0, sameUntil(after, written)))
    const camera = cameraOf(name)
    lost.set(camera, (lost.get(camera) ?? 0) + Math.max(0, meanwhile.seconds - there.seconds))
  }
  return Math.max(0, ...lost.values())
}

/**
 * Up to where it is what was recorded; behind that are zeros. The header is written anew at the end, with the duration. What a
 * disk got in its last moment may be more than was seen.
 */
const sameUntil = (after: Buffer, whole: Buffer): number => {
  const { from } = playableOf(after)
  if (from === 0) return 0
  const common = Math.min(after.length, whole.length)
  for (let at = from; at < common; at += step) {
    const to = Math.min(at + step, common)
    if (!after.subarray(at, to).equals(whole.subarray(at, to))) return at
  }
  return after.length
}
const step = 512

/** A moment that is so long ago that all is done which is done beside. `more`: milliseconds that it may take besides. */
const longBefore = (history: History, moment: Moment, more = 0): Sample | undefined => {
  const then = (sampleAt(history, moment)?.time ?? 0) - beside(history) - more
  return history.samples.findLast(({ time }) => time <= then)
}

/** Its camera had gone on to another file by then. For a moment each one has the name that MediaMTX gives it. */
const overSince = (history: History, then: number) => {
  const newest = new Map<string, string>()
  for (const [name, time] of firstSeen(history)) {
    const begun = begunAt(name)
    if (time <= then && begun > (newest.get(cameraOf(name)) ?? "")) newest.set(cameraOf(name), begun)
  }
  return (name: string): boolean => begunAt(name) < (newest.get(cameraOf(name)) ?? "")
}

const cameraOf = (name: string): string => name.slice(0, name.indexOf("_"))

const begunAt = (name: string): string => name.slice(0, name.lastIndexOf("."))

/** Pictures are whole, or empty and not listed; those of a while ago are there. */
const checkPictures = (files: ReadonlyMap<string, Buffer>, history: History, moment: Moment, claim: Claim): void => {
  for (const [path, bytes] of files) {
    if (!path.startsWith("snapshots/") || path.includes("/.tmp-") || isBlank(bytes)) continue
    const isWhole = bytes.readUInt16BE(0) === 0xffd8 && bytes.readUInt16BE(bytes.length - 2) === 0xffd9
    claim("pictures are whole", isWhole, `${path} has ${bytes.length} of ${history.files.get(path)?.length} bytes`)
    if (path === "snapshots/front.jpg") continue
    claim("pictures are what was taken", isSame(bytes, history.files.get(path)), path)
  }
  // they are synced after their replies, one after the other: the last may wait for all the others
  const long = longBefore(history, moment, history.snapshots.length * slowestSync(history))
  if (long === undefined) return
  for (const name of saidDone(history.snapshots, long)) {
    claim("pictures last", !isBlank(files.get(`snapshots/${name}`) ?? Buffer.alloc(0)), name)
  }
}
