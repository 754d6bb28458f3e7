import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as fc from "fast-check"
import { Databases } from "../../src/ground/Databases.ts"
import * as Served from "../../src/self/Served.ts"
import { FileIndex } from "../../src/storage/FileIndex.ts"
import { Holds } from "../../src/storage/Holds.ts"
import { packParts, unpackParts } from "../../src/storage/PackedParts.ts"
import { Timeline } from "../../src/storage/Timeline.ts"
import { MemoryDatabases } from "../../testing/MemoryDatabases.ts"
import { MemoryDisk } from "../../testing/MemoryDisk.ts"
import { listening } from "../support/Log.ts"
import { asVersion2 } from "./EarlierIndexes.ts"
import { indexed, memoryGround, storage } from "./Workbench.ts"

/** Nobody looks for the files, of which there are none. */
const room = Timeline.layer.pipe(
  Layer.provideMerge(storage("/data")),
  Layer.provide(Served.layer),
  Layer.provideMerge(memoryGround)
)

const second = 1000
/** A recording of so many seconds that begins then, in seconds. */
const file = (start: number, seconds: number, device = "camera0") =>
  indexed({
    filename: `${device}_${start}.mp4`,
    device,
    created: start * second,
    modified: (start + seconds) * second,
    duration: seconds
  })
const put = (...files: ReadonlyArray<ReturnType<typeof file>>) =>
  Effect.flatMap(FileIndex, (index) => Effect.forEach(files, index.put))

const spansOf = (resolution = 0, from = 0, to = 100_000, device = "camera0") =>
  Effect.map(
    Effect.flatMap(Timeline, ({ spans }) =>
      spans(device, { from: from * second, to: to * second }, resolution * second)
    ),
    (found) => found.map(({ end, start }) => [start / second, end / second] as const)
  )

const test = <E>(name: string, body: Effect.Effect<void, E, Layer.Success<typeof room>>) =>
  it.effect(name, () => Effect.provide(body, room))

describe("when a camera was recorded", () => {
  test(
    "files one after the other are one span, and others are others",
    Effect.gen(function* () {
      yield* put(file(160, 60), file(100, 60), file(300, 60), file(100, 500, "camera1"))
      assert.deepStrictEqual(yield* spansOf(), [
        [100, 220],
        [300, 360]
      ])
      assert.deepStrictEqual(yield* spansOf(0, 0, 100_000, "camera1"), [[100, 600]])
      assert.deepStrictEqual(yield* spansOf(0, 0, 100_000, "camera2"), [])
    })
  )

  test(
    "a file that began a span goes on with another's, once that is known to end where it begins, but for milliseconds",
    Effect.gen(function* () {
      yield* put(file(160, 60))
      assert.deepStrictEqual(yield* spansOf(), [[160, 220]])
      yield* put(file(100, 59.997))
      assert.deepStrictEqual(yield* spansOf(), [[100, 220]])
    })
  )

  test(
    "spans are cut to what was asked for, and those that lie near are one where that is asked",
    Effect.gen(function* () {
      yield* put(file(100, 60), file(300, 60), file(500, 60))
      assert.deepStrictEqual(yield* spansOf(0, 130, 510), [
        [130, 160],
        [300, 360],
        [500, 510]
      ])
      assert.deepStrictEqual(yield* spansOf(140), [[100, 560]])
      assert.deepStrictEqual(yield* spansOf(0, 160, 300), [])
      assert.deepStrictEqual(yield* spansOf(0, 340, 341), [[340, 341]])
    })
  )

  test(
    "a file that is deleted leaves a gap, and its parts go with it",
    Effect.gen(function* () {
      const index = yield* FileIndex
      yield* put(file(100, 60), file(160, 60), file(220, 60))
      yield* index.tellTimeline((it) => it.putParts("camera0_160.mp4", new Uint8Array([1])))
      assert.deepStrictEqual(yield* index.timeline((it) => it.parts("camera0_160.mp4")), new Uint8Array([1]))
      yield* index.remove("recording", "camera0_160.mp4")
      assert.isUndefined(yield* index.timeline((it) => it.parts("camera0_160.mp4")))
      assert.deepStrictEqual(yield* spansOf(), [
        [100, 160],
        [220, 280]
      ])
      yield* index.tellTimeline((it) => it.putParts("camera0_160.mp4", new Uint8Array([1])))
      assert.isUndefined(yield* index.timeline((it) => it.parts("camera0_160.mp4")))
    })
  )

  test(
    "the file that is written ends now, its span goes on, and its newest second is found",
    Effect.gen(function* () {
      const { files, spans } = yield* Timeline
      const holds = yield* Holds
      const written = { ...file(-20, 0), filename: "written.mp4", codec: "" }
      yield* put(file(-80, 60), written)
      yield* Effect.scoped(
        Effect.gen(function* () {
          yield* holds.hold("recording", "written.mp4", "RECORDING")
          const period = { from: -100 * second, to: 100 * second }
          assert.deepStrictEqual(yield* spans("camera0", period, 0), [
            { start: -80 * second, end: 0, isRecording: true, reason: undefined }
          ])
          const found = yield* files("camera0", period, 10)
          assert.deepStrictEqual(
            found.map(({ end, filename, isWritten }) => [filename, end, isWritten]),
            [
              ["camera0_-80.mp4", -20 * second, false],
              ["written.mp4", 0, true]
            ]
          )
          const inside = yield* files("camera0", { from: -10 * second, to: 100 * second }, 1)
          assert.deepStrictEqual(
            inside.map(({ end, filename, isWritten }) => [filename, end, isWritten]),
            [["written.mp4", 0, true]]
          )
          assert.deepStrictEqual(yield* files("camera0", { from: 0, to: 100 * second }, 10), [])
        })
      )
    })
  )

  test(
    "what is over before a period is not of its files, and takes nobody's place among them",
    Effect.gen(function* () {
      const { files } = yield* Timeline
      yield* put(file(100, 60), file(200, 60), file(260, 60))
      const namesOf = (from: number, limit: number) =>
        Effect.map(files("camera0", { from: from * second, to: 1000 * second }, limit), (found) =>
          found.map(({ filename }) => filename)
        )
      assert.deepStrictEqual(yield* namesOf(160, 1), ["camera0_200.mp4"])
      assert.deepStrictEqual(yield* namesOf(159, 2), ["camera0_100.mp4", "camera0_200.mp4"])
    })
  )

  test(
    "the reason for a gap is told with the span before it",
    Effect.gen(function* () {
      const { spans } = yield* Timeline
      const index = yield* FileIndex
      yield* put(file(100, 60), file(300, 60))
      yield* index.tellTimeline((it) => it.noteEnd("camera0", 162 * second, "it was unplugged"))
      const found = yield* spans("camera0", { from: 0, to: 1000 * second }, 0)
      assert.deepStrictEqual(
        found.map(({ reason }) => reason),
        ["it was unplugged", undefined]
      )
    })
  )

  it.effect("a reason that cannot be kept is no failure, and is told once until it can be kept again", () => {
    const { layer, lines } = listening()
    const said = () => lines.filter(({ message }) => message.includes("gaps")).length
    const body = Effect.gen(function* () {
      const { noteEnd } = yield* Timeline
      const databases = yield* MemoryDatabases
      // SQLite has no place for that without another page
      const long = "it was unplugged ".repeat(10_000)
      databases.full(true)
      yield* noteEnd("camera0", long)
      yield* noteEnd("camera1", long)
      assert.strictEqual(said(), 1)
      databases.full(false)
      yield* noteEnd("camera0", long)
      databases.full(true)
      yield* noteEnd("camera1", long)
      assert.strictEqual(said(), 2)
    })
    return body.pipe(Effect.provide(room), Effect.provide(layer))
  })

  test(
    "whatever comes and goes in whatever order, spans are what the files say",
    Effect.promise(() =>
      fc.assert(
        fc.asyncProperty(
          fc.array(fc.tuple(fc.nat(60), fc.integer({ min: 1, max: 5 }), fc.boolean()), { maxLength: 40 }),
          async (changes) => {
            const world = Effect.gen(function* () {
              const index = yield* FileIndex
              const there = new Map<number, number>()
              for (const [slot, length, isThere] of changes) {
                // ten seconds apart, so that they do not overlap
                const start = slot * 10
                if (isThere) {
                  there.set(start, length * 2)
                  yield* put(file(start, length * 2))
                } else {
                  there.delete(start)
                  yield* index.remove("recording", `camera0_${start}.mp4`)
                }
              }
              const wanted: Array<[number, number]> = []
              for (const [start, length] of [...there].sort(([a], [b]) => a - b)) {
                const last = wanted.at(-1)
                if (last !== undefined && start - last[1] <= 1) last[1] = start + length
                else wanted.push([start, start + length])
              }
              assert.deepStrictEqual(yield* spansOf(), wanted)
            })
            await Effect.runPromise(Effect.provide(world, Layer.fresh(room)))
          }
        ),
        { numRuns: 25 }
      )
    )
  )
})

describe("a file that nobody has looked into, or that has nothing", () => {
  const day = 86_400
  /** Copied here just now, under a name of long ago; of so many bytes. */
  const copied = (bytes: number) => ({
    ...file(100, 0),
    filename: "copied.mp4",
    modified: 10 * day * second,
    bytes,
    codec: ""
  })

  test(
    "claims no more time than its bytes can hold",
    Effect.gen(function* () {
      // its own look has ended: nobody looks into what comes now
      yield* (yield* FileIndex).reconcile
      yield* put(file(1000, 60), copied(30_000))
      assert.deepStrictEqual(yield* spansOf(0, 0, 20 * day), [
        [100, 130],
        [1000, 1060]
      ])
    })
  )

  test(
    "claims none once it was looked into in vain, and hides nothing of others",
    Effect.gen(function* () {
      const index = yield* FileIndex
      const { files } = yield* Timeline
      const { outside } = yield* MemoryDisk
      outside.write("/data/recordings/junk.mp4", new Uint8Array(1000))
      const junk = { ...copied(1000), filename: "junk.mp4", created: 120 * second, modified: 0 }
      yield* index.reconcile
      yield* put(file(100, 60), junk, file(160, 60))
      yield* index.look(["junk.mp4"])
      assert.deepStrictEqual(yield* spansOf(0, 0, 20 * day), [[100, 220]])
      const found = yield* files("camera0", { from: 0, to: 20 * day * second }, 10)
      assert.deepStrictEqual(
        found.map(({ filename }) => filename),
        ["camera0_100.mp4", "camera0_160.mp4"]
      )
    })
  )
})

it.effect("an index of before knows it too, and nobody looks into its recordings again", () =>
  Effect.gen(function* () {
    const { outside } = yield* MemoryDisk
    const inRoom = <A, E>(body: Effect.Effect<A, E, Layer.Success<typeof room>>) =>
      Effect.provide(body, Layer.fresh(Timeline.layer.pipe(Layer.provideMerge(storage("/data")))))
    const files = [file(100, 60), file(160, 60), file(300, 60)]
    const written = Effect.sync(() => {
      for (const { filename } of files) outside.write(`/data/recordings/${filename}`, new Uint8Array(1))
    })
    yield* inRoom(Effect.andThen(written, put(...files)))
    const before = (yield* Databases).open("/data/index.sqlite")
    before.exec(asVersion2)
    before.close()
    const isKnown = Effect.gen(function* () {
      assert.deepStrictEqual(yield* spansOf(), [
        [100, 220],
        [300, 360]
      ])
      const known = yield* (yield* FileIndex).get("recording", "camera0_160.mp4")
      assert.strictEqual(known?.codec, "h264")
    })
    yield* inRoom(isKnown)
    const last = (yield* Databases).open("/data/index.sqlite")
    last.exec("UPDATE files SET begins = 1; PRAGMA user_version=3")
    last.close()
    yield* inRoom(isKnown)
  }).pipe(Effect.provide(memoryGround))
)

describe("parts, packed", () => {
  it("are what they were", () => {
    const part = fc.record({
      length: fc.integer({ min: 1, max: 2 ** 40 }),
      millis: fc.integer({ min: 1, max: 100_000 }),
      key: fc.nat(1000)
    })
    fc.assert(
      fc.property(fc.array(part, { minLength: 1, maxLength: 50 }), fc.nat(10_000), (all, initBytes) => {
        let offset = initBytes
        let start = 0
        const parts = all.map(({ key, length, millis }) => {
          const one = { offset, length, start: start / 1000, duration: millis / 1000, keyframe: (start + key) / 1000 }
          offset += length
          start += millis
          return one
        })
        const known = { codec: "avc1.42C01E", initBytes, parts }
        const found = unpackParts(packParts(known))
        assert.strictEqual(found?.initBytes, initBytes)
        assert.strictEqual(found?.codec, known.codec)
        for (const [i, one] of parts.entries()) {
          const other = found?.parts[i]
          assert.strictEqual(other?.offset, one.offset)
          assert.strictEqual(other?.length, one.length)
          assert.closeTo(other?.start ?? -1, one.start, 1e-6)
          assert.closeTo(other?.duration ?? -1, one.duration, 1e-6)
          assert.closeTo(other?.keyframe ?? -1, one.keyframe, 1e-6)
        }
      })
    )
  })
})
