import { assert, describe, it } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import { basename, dirname, join } from "node:path"
import { Disk } from "../../src/ground/Disk.ts"
import { Ffmpeg } from "../../src/process/Ffmpeg.ts"
import { Segments } from "../../src/recording/Segments.ts"
import { FileIndex } from "../../src/storage/FileIndex.ts"
import { Files } from "../../src/storage/Files.ts"
import { temporaryPrefix } from "../../src/storage/NewFile.ts"
import { RecordingParts } from "../../src/storage/RecordingParts.ts"
import { SmallFiles } from "../../src/storage/SmallFiles.ts"
import { fractions } from "../../testing/Chance.ts"
import { MemoryDisk, type Outside } from "../../testing/MemoryDisk.ts"
import { settle } from "../../testing/PassingTime.ts"
import { fragment, init, key, other } from "../support/FragmentedMp4.ts"
import { indexed, jpeg, memoryGround, png, storage } from "./Workbench.ts"

/* In which order files come to be on the disk (docs/operations.md): the power is cut after each call that changes or syncs one. */

const folders = ["/", "/data", "/data/recordings", "/data/snapshots", "/data/secrets"]
/** What nobody synced is lost, or all of it is there, or some of it. */
const chances = [() => 0, () => 0.999, ...[1, 2].map((seed) => fractions(seed))]

type Room = Context.Context<Disk | FileIndex | Files | MemoryDisk | Segments | SmallFiles>

/** What the next start finds. */
interface Left {
  /** calls that had happened, and those that there are if nothing happens to them */
  readonly calls: number
  readonly all: number
  /** it was said to be done */
  readonly isSaid: boolean
  /** the index had it as whole when the power went */
  readonly isListed: boolean
  readonly read: (path: string) => Buffer | undefined
}

interface Work {
  /** what is on the disk already */
  readonly there?: Readonly<Record<string, Uint8Array>>
  /** what another program has written since, which nobody synced */
  readonly written?: Readonly<Record<string, Uint8Array>>
  readonly does: (room: Room) => Effect.Effect<unknown, unknown>
  readonly isListed?: (room: Room) => Effect.Effect<boolean, unknown>
  readonly calls: ReadonlyArray<string>
  readonly holds: (left: Left) => void
}

const ffmpegOn = ({ write }: Outside) =>
  Ffmpeg.of({
    start: () => Effect.die("nobody starts one"),
    run: (args) => {
      const path = args.find((arg) => arg.includes("/recordings/") && !arg.includes(temporaryPrefix)) ?? ""
      write(join(dirname(path), `${temporaryPrefix}${basename(path)}`).replace("file:", ""), copied)
      return Effect.succeed(new Uint8Array())
    },
    picture: () => Effect.die("nobody wants one"),
    preparePicture: () => Effect.die("nobody wants one"),
    pour: () => Effect.never,
    probe: () => Effect.succeed({ duration: 2, codec: "h264", width: 64, height: 48, bytes: 1 }),
    check: Effect.void
  })

/** Does it on a disk that loses its power after so many calls. */
const cutAfter = (most: number, chance: () => number, { does, isListed, there = {}, written = {} }: Work) =>
  Effect.gen(function* () {
    const ground = yield* Layer.build(memoryGround)
    const { calls: follow, losePower, outside, use } = Context.get(ground, MemoryDisk)
    let left = Number.POSITIVE_INFINITY
    const user = use(() => {
      if (left-- <= 0) user.kill()
    })
    const room: Room = yield* Layer.build(
      Segments.layer.pipe(
        Layer.provide(RecordingParts.layer),
        Layer.provideMerge(storage("/data")),
        Layer.provide(Layer.succeed(Ffmpeg, ffmpegOn(outside))),
        Layer.provideMerge(Layer.succeedContext(Context.add(ground, Disk, user.disk)))
      )
    )
    yield* Context.get(room, FileIndex).reconcile
    const { sync } = Context.get(ground, Disk)
    for (const [path, bytes] of Object.entries(there)) {
      outside.write(path, bytes)
      yield* sync(path)
    }
    for (const folder of folders) yield* sync(folder)
    for (const [path, bytes] of Object.entries(written)) outside.write(path, bytes, 0)

    const calls = yield* follow
    left = most
    const exit = yield* Effect.exit(does(room))
    yield* settle
    const made = calls.map((call) => call.replaceAll("/data", "").replaceAll(/\.tmp-[^ ]*/g, "aside"))
    user.kill()
    const seen = isListed === undefined ? false : yield* isListed(room)
    losePower(chance)
    const read = (path: string): Buffer | undefined => {
      try {
        return Buffer.from(outside.read(path))
      } catch {
        return undefined
      }
    }
    return { calls: made, isSaid: Exit.isSuccess(exit), isListed: seen, read }
  }).pipe(Effect.scoped)

const survives = (name: string, work: Work) =>
  it.effect(name, () =>
    Effect.gen(function* () {
      const all = work.calls.length
      assert.deepEqual((yield* cutAfter(Number.POSITIVE_INFINITY, () => 0, work)).calls, work.calls)
      for (let calls = 0; calls <= all; calls++) {
        for (const chance of chances) work.holds({ ...(yield* cutAfter(calls, chance, work)), calls, all })
      }
    })
  )

const isOneOf = (found: Buffer | undefined, ...those: ReadonlyArray<Uint8Array>): boolean =>
  found !== undefined && those.some((one) => found.equals(one))

/** As MediaMTX leaves it when it has closed it: the header has the duration. */
const recorded = (() => {
  const parts = Array.from({ length: 10 }, (_, i) => fragment(i * 200, [i === 0 ? key : other, other, other, other]))
  const file = Buffer.concat([init, ...parts])
  const header = file.indexOf("mvhd") + 4
  file.writeUInt32BE(1000, header + 12)
  file.writeUInt32BE(2000, header + 16)
  return file
})()
/** As it was synced last, while MediaMTX wrote it. */
const begun = recorded.subarray(0, recorded.length / 2)
const copied = Buffer.from("the same in another container")

const recording = (filename: string) => ({
  does: (room: Room, format: "fmp4" | "mkv") =>
    Context.get(room, Segments).finish("camera0", filename, {
      format,
      remuxing: Effect.void,
      givenUp: Effect.never,
      isHurried: () => false
    }),
  isListed: (room: Room) =>
    Effect.map(Context.get(room, FileIndex).get("recording", filename), (file) => (file?.duration ?? 0) > 0)
})

describe("a power cut after each call to the disk", () => {
  const mp4 = "camera0_2026-01-02_03-04-05_000001.mp4"
  const plain = recording(mp4)
  survives("of a recording's end costs what came since the last sync, and nothing once it is told", {
    there: { [`/data/recordings/${mp4}`]: begun },
    written: { [`/data/recordings/${mp4}`]: recorded },
    does: (room) => plain.does(room, "fmp4"),
    isListed: plain.isListed,
    calls: [`sync /recordings/${mp4}`, "sync /recordings"],
    holds: ({ all, calls, isListed, isSaid, read }) => {
      const found = read(`/data/recordings/${mp4}`)
      assert.isTrue(found?.subarray(0, begun.length).equals(begun))
      if (calls >= 1) assert.isTrue(isOneOf(found, recorded))
      assert.deepEqual([isListed, isSaid], [calls === all, calls === all])
    }
  })

  const mkv = "camera0_2026-01-02_03-04-05_000001.mkv"
  const remuxed = recording(mkv)
  survives("of a recording's copy into another container costs nothing: one of both is whole under its name", {
    there: { [`/data/recordings/${mkv}`]: recorded },
    does: (room) => remuxed.does(room, "mkv"),
    isListed: remuxed.isListed,
    calls: [
      `sync /recordings/${mkv}`,
      "sync /recordings/aside",
      `rename /recordings/aside /recordings/${mkv}`,
      "sync /recordings"
    ],
    holds: ({ all, calls, isListed, isSaid, read }) => {
      const found = read(`/data/recordings/${mkv}`)
      assert.isTrue(isOneOf(found, recorded, copied))
      if (calls < 3) assert.isTrue(isOneOf(found, recorded))
      if (calls === all) assert.isTrue(isOneOf(found, copied))
      assert.deepEqual([isListed, isSaid], [calls === all, calls === all])
    }
  })

  const jpg = "camera0_2026-01-02_03-04-05_000001.jpg"
  const save = (room: Room, bytes: Uint8Array, filename: string) =>
    Context.get(room, Files).saveSnapshot(
      { device: "camera0", bytes, width: 1, height: 1, capturedAt: 0, filename },
      () => true
    )
  survives("of a snapshot leaves nothing, a part that is not listed, or all of it once it is synced", {
    does: (room) => save(room, jpeg, jpg),
    calls: [
      "create /snapshots/aside",
      "append /snapshots/aside",
      `link /snapshots/aside /snapshots/${jpg}`,
      "remove /snapshots/aside",
      // what is open is that file, whatever its name is
      "sync /snapshots/aside",
      "sync /snapshots"
    ],
    holds: ({ all, calls, isSaid, read }) => {
      const found = read(`/data/snapshots/${jpg}`)
      if (calls < 3) assert.isUndefined(found)
      if (calls >= 5 && found !== undefined) assert.isTrue(isOneOf(found, jpeg))
      if (calls === all) assert.isTrue(isOneOf(found, jpeg))
      // it is answered before it is synced
      assert.strictEqual(isSaid, calls >= 3)
    }
  })

  const known = indexed({ kind: "snapshot", filename: jpg })
  survives("of a snapshot that replaces one leaves the old one or the new one", {
    there: { [`/data/snapshots/${jpg}`]: png },
    does: (room) => Effect.andThen(Context.get(room, FileIndex).put(known), save(room, jpeg, jpg)),
    calls: [
      "create /snapshots/aside",
      "append /snapshots/aside",
      "sync /snapshots/aside",
      `rename /snapshots/aside /snapshots/${jpg}`,
      "remove /snapshots/aside",
      "sync /snapshots/aside",
      "sync /snapshots"
    ],
    holds: ({ all, calls, isSaid, read }) => {
      const found = read(`/data/snapshots/${jpg}`)
      assert.isTrue(isOneOf(found, png, jpeg))
      if (calls < 4) assert.isTrue(isOneOf(found, png))
      if (calls === all) assert.isTrue(isOneOf(found, jpeg))
      assert.strictEqual(isSaid, calls >= 4)
    }
  })

  const old = Buffer.from(`{"keys":["old"]}`)
  const text = `{"keys":["old","new"]}`
  survives("of a small file leaves the old one or the new one, and the new one once it is told", {
    there: { "/data/secrets/api_keys.json": old },
    does: (room) => Context.get(room, SmallFiles).write("/data/secrets/api_keys.json", text),
    calls: [
      "create /secrets/aside",
      "append /secrets/aside",
      "sync /secrets/aside",
      "rename /secrets/aside /secrets/api_keys.json",
      "sync /secrets"
    ],
    holds: ({ all, calls, isSaid, read }) => {
      const found = read("/data/secrets/api_keys.json")
      assert.isTrue(isOneOf(found, old, Buffer.from(text)))
      if (calls < 4) assert.isTrue(isOneOf(found, old))
      if (calls === all) assert.isTrue(isOneOf(found, Buffer.from(text)))
      assert.strictEqual(isSaid, calls === all)
    }
  })

  survives("of a secret leaves none or a whole one, and the one that was told", {
    does: (room) => Context.get(room, SmallFiles).writeOnce("/data/secrets/jwt_secret", text),
    calls: [
      "create /secrets/aside",
      "append /secrets/aside",
      "sync /secrets/aside",
      "link /secrets/aside /secrets/jwt_secret",
      "sync /secrets",
      "remove /secrets/aside"
    ],
    holds: ({ calls, isSaid, read }) => {
      const found = read("/data/secrets/jwt_secret")
      if (found !== undefined) assert.isTrue(isOneOf(found, Buffer.from(text)))
      if (calls < 4) assert.isUndefined(found)
      if (calls >= 5) assert.isDefined(found)
      assert.strictEqual(isSaid, calls >= 5)
    }
  })
})
