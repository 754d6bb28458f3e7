import { assert, describe } from "@effect/vitest"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import { join } from "node:path"
import type { Devices } from "../../src/device/Devices.ts"
import { Disk } from "../../src/ground/Disk.ts"
import { pictureFacts } from "../../src/media/Picture.ts"
import type { MediaMtx } from "../../src/process/MediaMtx.ts"
import { type SnapshotRequest, Snapshots } from "../../src/snapshot/Snapshots.ts"
import { DataFolder } from "../../src/storage/DataFolder.ts"
import { FileIndex } from "../../src/storage/FileIndex.ts"
import type { Paths } from "../../src/stream/Paths.ts"
import type { Streams } from "../../src/stream/Streams.ts"
import { type Place, plugIn } from "../support/App.ts"
import { children, type Ground, until } from "../support/Ground.ts"
import { asTimePasses } from "./recordings.ts"
import { readyStream } from "./streams.ts"

type App = Disk | Ground | Streams | Snapshots | Paths | Devices | DataFolder | FileIndex | MediaMtx

export const take = Effect.fnUntraced(function* (request: Partial<SnapshotRequest> & { readonly camera: string }) {
  const snapshots = yield* Snapshots
  return yield* asTimePasses(snapshots.take({ maxAge: 1000, ...request }))
})

export const snapshotsOnDisk = Effect.gen(function* () {
  const { snapshots } = yield* DataFolder
  return [...(yield* Effect.orDie((yield* Disk).names(snapshots)))].sort()
})

export const bytesOf = Effect.fnUntraced(
  function* (filename: string) {
    const { snapshots } = yield* DataFolder
    const file = yield* (yield* Disk).open(join(snapshots, filename))
    return Buffer.from(yield* file.read(0, (yield* file.state).bytes))
  },
  Effect.scoped,
  Effect.orDie
)

/** A stream that has a picture at hand. */
export const liveCamera = Effect.gen(function* () {
  const camera = yield* plugIn()
  const stream = yield* readyStream(camera)
  yield* until("a picture at hand", Effect.sync(stream.pictures.latest))
  return { camera, stream }
})

/** The answer to a name that a snapshot has. */
export const taken = {
  _tag: "InvalidState",
  state: "TAKEN",
  allowed_states: ["FREE"] as ReadonlyArray<string>,
  suggestion: "another name, or overwrite: true"
} as const

/** What snapshots promise, on any ground. */
export const snapshotBehaviour = (name: string, { test }: Place<App>) =>
  describe(name, () => {
    test(
      "an idle camera's stream is started for a snapshot, and serves the next one",
      Effect.gen(function* () {
        const camera = yield* plugIn()
        const first = yield* take({ camera })
        assert.strictEqual(first.capture.name, "activated")
        assert.deepEqual(
          first.tried.map(({ outcome, tier }) => ({ outcome, tier })),
          [
            { outcome: "the stream does not run", tier: 1 },
            { outcome: "SUCCESS", tier: 2 }
          ]
        )
        const second = yield* take({ camera })
        assert.strictEqual(second.capture.name, "live")
        assert.lengthOf(yield* children("publish"), 1)
        assert.lengthOf(yield* children("direct"), 0)
      })
    )

    test(
      "a snapshot of a running stream is the picture at hand: nothing is started for it",
      Effect.gen(function* () {
        const { camera, stream } = yield* liveCamera
        const before = (yield* children("publish")).length
        const snapshots = yield* Snapshots
        const snapshot = yield* snapshots.take({ camera, maxAge: 60_000 })
        assert.strictEqual(snapshot.capture.name, "live")
        const latest = yield* stream.pictures.latest()?.picture ?? Effect.die("no picture")
        assert.strictEqual(snapshot.picture.width, latest.width)
        assert.lengthOf(yield* children("publish"), before)
        assert.lengthOf(yield* children("convert"), 0)
        assert.lengthOf(yield* children("direct"), 0)
      })
    )

    test(
      "max_age_ms 0 waits for a picture captured after the call",
      Effect.gen(function* () {
        const { camera, stream } = yield* liveCamera
        yield* until(
          "a moment after the last picture",
          Effect.map(Clock.currentTimeMillis, (now) => now > (stream.pictures.latest()?.captured.wall ?? 0))
        )
        const calledAt = yield* Clock.currentTimeMillis
        const snapshot = yield* take({ camera, maxAge: 0 })
        assert.isAtLeast(snapshot.picture.captured.wall, calledAt)
        assert.isBelow(snapshot.ageMs, 150)
      })
    )

    test(
      "the file is a picture of the size that was told, stands in the list, and is marked as told",
      Effect.gen(function* () {
        const { camera } = yield* liveCamera
        const { bytes, filename, picture } = yield* take({ camera })
        const onDisk = yield* bytesOf(filename)
        assert.strictEqual(onDisk.length, bytes)
        const facts = pictureFacts(onDisk)
        assert.deepInclude(facts, { width: picture.width, height: picture.height })
        const index = yield* FileIndex
        assert.deepInclude(yield* index.get("snapshot", filename), {
          device: camera,
          bytes,
          width: picture.width,
          height: picture.height,
          created: picture.captured.wall
        })
      })
    )

    test(
      "a name of the client's own is kept, and refused when it is taken",
      Effect.gen(function* () {
        const { camera } = yield* liveCamera
        const { bytes, filename } = yield* take({ camera, filename: "mine.jpg" })
        assert.strictEqual(filename, "mine.jpg")
        assert.strictEqual((yield* bytesOf(filename)).length, bytes)
        const refused = yield* Effect.flip(take({ camera, filename: "mine.jpg" }))
        assert.deepInclude(refused, taken)
        assert.lengthOf(yield* snapshotsOnDisk, 1)
      })
    )

    test(
      "a PNG is one, also when only the name asks for it, and the quality is heeded",
      Effect.gen(function* () {
        const { camera } = yield* liveCamera
        const png = yield* take({ camera, format: "png" })
        assert.match(png.filename, /\.png$/)
        assert.strictEqual((yield* bytesOf(png.filename)).subarray(1, 4).toString(), "PNG")
        const named = yield* take({ camera, filename: "a.png" })
        assert.strictEqual((yield* bytesOf(named.filename)).subarray(1, 4).toString(), "PNG")
        yield* take({ camera, quality: 1 })
        const best = yield* take({ camera, quality: 100 })
        assert.strictEqual((yield* bytesOf(best.filename)).readUInt16BE(0), 0xffd8)
        const scales = (yield* children("convert")).map(({ args }) => args[args.indexOf("-q:v") + 1])
        assert.deepEqual(scales.slice(-2), ["31", "2"])
      })
    )

    test(
      "20 at once get 20 files with 20 names from one stream",
      Effect.gen(function* () {
        const camera = yield* plugIn()
        const all = yield* asTimePasses(
          Effect.flatMap(Snapshots, (snapshots) =>
            Effect.forEach(Array.from({ length: 20 }), () => snapshots.take({ camera, maxAge: 1000 }), {
              concurrency: "unbounded"
            })
          )
        )
        assert.strictEqual(new Set(all.map(({ filename }) => filename)).size, 20)
        assert.lengthOf(yield* snapshotsOnDisk, 20)
        assert.lengthOf(yield* children("publish"), 1)
        assert.strictEqual(new Set(all.map(({ picture }) => picture)).size, 1)
      })
    )
  })
