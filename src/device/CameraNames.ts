import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Queue from "effect/Queue"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import { join } from "node:path"
import { CameraId } from "../../schema/Camera.ts"
import { Served } from "../self/Served.ts"
import { DataFolder } from "../storage/DataFolder.ts"
import { SmallFiles } from "../storage/SmallFiles.ts"
import type { Identity } from "./Device.ts"
import { type Presence, recognise } from "./Recognition.ts"

const Stored = Schema.fromJsonString(
  Schema.Struct({
    version: Schema.Literal(1),
    cameras: Schema.Record(
      CameraId,
      Schema.Struct({ serial: Schema.optionalKey(Schema.String), position: Schema.String })
    )
  })
)

/** In the data folder. */
export const camerasName = "cameras.json"

/**
 * Which camera has which name, for good: a name once given belongs to its camera, across restarts and renumberings, until it
 * is given up.
 */
export class CameraNames extends Context.Service<
  CameraNames,
  {
    /** This camera is plugged in for as long as the scope lives, and will be named in it: of twins, each counts. */
    readonly expect: (identity: Identity) => Effect.Effect<void, never, Scope.Scope>
    /** The name of this camera, nobody else's while the scope lives. A new camera gets the lowest number that is nobody's. */
    readonly claim: (identity: Identity) => Effect.Effect<CameraId, never, Scope.Scope>
    /** The name is nobody's any more: for a camera that is away for good. */
    readonly giveUp: (id: CameraId) => Effect.Effect<void>
  }
>()("camera-service/device/CameraNames") {
  static readonly layer = Layer.effect(
    CameraNames,
    Effect.gen(function* () {
      const folder = yield* DataFolder
      const smallFiles = yield* SmallFiles
      const file = join(folder.root, camerasName)
      const records = yield* readNames(file)
      const textNow = () => `${JSON.stringify({ version: 1, cameras: Object.fromEntries(records) }, null, 2)}\n`
      let kept = textNow()
      const keep = Effect.gen(function* () {
        const text = textNow()
        if (text === kept) return
        yield* smallFiles.write(file, text, 0o600)
        kept = text
      }).pipe(
        // a name that could not be written is still good for this run
        Effect.catch((error) => Effect.logError("camera names could not be kept", error)),
        Effect.uninterruptible
      )
      // beside it: no camera waits for a disk, and no first client for its sync
      const toKeep = yield* Queue.sliding<void>(1)
      yield* Effect.addFinalizer(() => keep)
      const { await: awaitServed } = yield* Served
      const keepAll = Effect.forever(Effect.andThen(Queue.take(toKeep), keep))
      yield* Effect.forkScoped(Effect.andThen(awaitServed, keepAll))
      return CameraNames.of(makeNames(records, Queue.offer(toKeep, undefined)))
    })
  )
}

type Entry = { -readonly [Key in keyof Presence]: Presence[Key] }

/** The names in these records, which are changed; `changed` runs after each change. */
export const makeNames = (
  records: Map<CameraId, Identity>,
  changed: Effect.Effect<unknown>
): CameraNames["Service"] => {
  const present = new Set<Entry>()
  const warned = new Set<string>()

  const enter = (identity: Identity): Entry => {
    const entry: Entry = { identity }
    present.add(entry)
    return entry
  }

  const lowestFree = (): CameraId => {
    let number = 0
    while (records.has(`camera${number}`)) number++
    return `camera${number}`
  }

  /** At one stroke: who comes next sees this one named. */
  const name = (identity: Identity) => {
    const expected = [...present].find((entry) => entry.named === undefined && isSame(entry.identity, identity))
    const others = [...present].filter((other) => other !== expected)
    const recognised = recognise(identity, others, records)
    const { isDoubtful, name: id = lowestFree() } = recognised
    const entry = expected ?? enter(identity)
    entry.named = { name: id, isDoubtful }
    const isNews = !isSame(records.get(id), identity)
    records.set(id, identity)
    const release = Effect.sync(() => {
      delete entry.named
      if (expected === undefined) present.delete(entry)
    })
    return { ...recognised, id, isNews, release }
  }

  const claim = Effect.fn("CameraNames.claim")(function* (identity: Identity) {
    const { id, isDoubtful, isNews, isShared } = yield* Effect.acquireRelease(
      Effect.sync(() => name(identity)),
      ({ release }) => release
    )
    if (isNews) yield* changed
    if (isDoubtful) {
      yield* Effect.logWarning(
        "a camera has a new name: which of those with its serial number was plugged in elsewhere cannot be told"
      ).pipe(Effect.annotateLogs({ "camera.id": id, ...identity }))
    }
    if (isShared && identity.serial !== undefined && !warned.has(identity.serial)) {
      warned.add(identity.serial)
      yield* Effect.logWarning(
        "cameras have the same serial number: they are told apart by where they are plugged in"
      ).pipe(Effect.annotateLogs({ serial: identity.serial }))
    }
    return id
  })

  const expect = (identity: Identity) =>
    Effect.acquireRelease(
      Effect.sync(() => enter(identity)),
      (entry) => Effect.sync(() => present.delete(entry))
    ).pipe(Effect.asVoid)

  const giveUp = (id: CameraId) => Effect.suspend(() => (records.delete(id) ? changed : Effect.void))

  return { expect, claim, giveUp }
}

const isSame = (one: Identity | undefined, other: Identity): boolean =>
  one?.serial === other.serial && one?.position === other.position

/** The names of earlier runs. A file that cannot be read is set aside, not overwritten: its names may be wanted back. */
const readNames = Effect.fnUntraced(function* (file: string) {
  const smallFiles = yield* SmallFiles
  const text = yield* smallFiles.read(file)
  if (Option.isNone(text)) return new Map<CameraId, Identity>()
  return yield* Schema.decodeEffect(Stored)(text.value).pipe(
    Effect.map(({ cameras }) => new Map<CameraId, Identity>(Object.entries(cameras))),
    Effect.catch((error) =>
      Effect.logError("cameras.json is not readable; it is kept as cameras.json.bad, and names begin anew", error).pipe(
        Effect.andThen(smallFiles.write(`${file}.bad`, text.value, 0o600)),
        Effect.as(new Map<CameraId, Identity>())
      )
    )
  )
})
