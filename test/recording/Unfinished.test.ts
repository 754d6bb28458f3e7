import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import { MaxOpsBeforeYield } from "effect/Scheduler"
import * as Scope from "effect/Scope"
import * as TestClock from "effect/testing/TestClock"
import { DependencyFailed } from "../../schema/Errors.ts"
import { Recordings } from "../../src/recording/Recordings.ts"
import { Unfinished } from "../../src/recording/Unfinished.ts"
import { DataFolder } from "../../src/storage/DataFolder.ts"
import { SmallFiles } from "../../src/storage/SmallFiles.ts"
import { MemoryDisk } from "../../testing/MemoryDisk.ts"
import { TestGround } from "../../testing/TestGround.ts"
import { asTimePasses, record, start, stop } from "../suites/recordings.ts"
import { dataFolder, onFakes, onTestGround, plugIn, runFake } from "../support/App.ts"
import { Ground, until } from "../support/Ground.ts"
import { listening } from "../support/Log.ts"
import { memoryGround, settingsWith } from "../storage/Workbench.ts"

const onMemory = Unfinished.layer.pipe(
  Layer.provide([DataFolder.layer, SmallFiles.layer]),
  Layer.provide(settingsWith({ data_dir: "/data" })),
  Layer.provideMerge(memoryGround)
)

const inFmp4 = (device: string) => ({ device, format: "fmp4" }) as { device: `camera${number}`; format: "fmp4" }

/** A disk that reads no small file, until it does. */
const failing = () => {
  const error = new DependencyFailed({ dependency: "storage", detail: "the disk reports an error" })
  const one = { isFailing: true }
  const files = Effect.map(SmallFiles, (real) =>
    SmallFiles.of({ ...real, read: (path) => (one.isFailing ? Effect.fail(error) : real.read(path)) })
  )
  const layer = Unfinished.layer.pipe(
    Layer.provide(Layer.effect(SmallFiles, files)),
    Layer.provide([DataFolder.layer, SmallFiles.layer]),
    Layer.provide(settingsWith({ data_dir: "/data" }))
  )
  return Object.assign(one, { layer })
}

/** What is written into the data folder and not into one of its folders, before it has its name. */
const note = { at: "/data/.tmp-" }

/** The recordings that go on after a crash, as the disk knows them. */
const writtenDown = Effect.gen(function* () {
  const { outside } = (yield* TestGround).disk
  const file = "/data/unfinished_recordings.json"
  const text = new TextDecoder().decode(outside.names("/data").includes(file.slice(6)) ? outside.read(file) : undefined)
  return [...text.matchAll(/camera\d+/gu)].map(([camera]) => camera)
})

const doesNotGoOn = "it could not be written down that it is under way: after a crash it may not go on"

const seconds = Effect.fnUntraced(function* (count: number) {
  const { step } = yield* Ground
  for (let i = 0; i < count * 50; i++) yield* step
})

describe("a start", () => {
  onFakes(
    "is answered when the disk knows of it, however long that takes a slow one",
    Effect.gen(function* () {
      const { disk } = yield* TestGround
      const camera = yield* plugIn()
      const hung = yield* disk.suffer({ name: "hung", calls: ["sync"], ...note })
      const starting = yield* Effect.forkChild((yield* Recordings).start({ camera }))
      yield* asTimePasses(hung.met)
      yield* seconds(5)
      assert.isUndefined(starting.pollUnsafe())
      assert.deepEqual(yield* writtenDown, [])
      yield* hung.takeBack
      yield* record(yield* asTimePasses(Fiber.join(starting)))
      assert.deepEqual(yield* writtenDown, [camera])
    })
  )

  onFakes(
    "that a disk which hangs has not written down in time says what that may lead to",
    Effect.gen(function* () {
      const { disk } = yield* TestGround
      const camera = yield* plugIn()
      const hung = yield* disk.suffer({ name: "hung", ...note })
      const started = yield* start({ camera })
      assert.strictEqual(started.reason, doesNotGoOn)
      yield* record(started)
      yield* hung.takeBack
      yield* until(
        "it is written down all the same",
        Effect.map(writtenDown, (cameras) => cameras.includes(camera))
      )
      assert.isUndefined((yield* stop(camera)).reason)
      assert.deepEqual(yield* writtenDown, [])
    })
  )

  onFakes(
    "whose client goes while the disk writes it down goes on, is written down, and is the camera's recording",
    Effect.gen(function* () {
      const { disk } = yield* TestGround
      const recordings = yield* Recordings
      const camera = yield* plugIn()
      const hung = yield* disk.suffer({ name: "hung", calls: ["sync"], ...note })
      const starting = yield* Effect.forkChild(recordings.start({ camera }))
      yield* asTimePasses(hung.met)
      yield* asTimePasses(Fiber.interrupt(starting))
      assert.strictEqual(recordings.now().get(camera)?.last, "RecordingWriting")
      yield* hung.takeBack
      yield* until(
        "it is written down",
        Effect.map(writtenDown, (cameras) => cameras.includes(camera))
      )
      assert.strictEqual((yield* Effect.flip(start({ camera })))._tag, "InvalidState")
      assert.lengthOf((yield* stop(camera)).files, 1)
      assert.deepEqual(yield* writtenDown, [])
    })
  )

  onFakes(
    "that the disk refuses to write down says so, and the next change writes it down",
    Effect.gen(function* () {
      const { disk } = yield* TestGround
      const [one, other] = [yield* plugIn(0), yield* plugIn(1)]
      const readOnly = yield* disk.suffer({ name: "read-only", ...note })
      const started = yield* start({ camera: one })
      assert.strictEqual(started.reason, doesNotGoOn)
      yield* record(started)
      yield* readOnly.takeBack
      assert.isUndefined((yield* start({ camera: other })).reason)
      assert.deepEqual(yield* writtenDown, [one, other])
    })
  )

  onFakes(
    "is written down together with those that come while the disk is busy with another one",
    Effect.gen(function* () {
      const { disk } = yield* TestGround
      const cameras = yield* Effect.forEach([0, 1, 2, 3, 4], plugIn)
      const calls = yield* disk.calls
      const hung = yield* disk.suffer({ name: "hung", calls: ["sync"], ...note })
      const recordings = yield* Recordings
      const starting = yield* Effect.forEach(cameras, (camera) => Effect.forkChild(recordings.start({ camera })))
      yield* seconds(5)
      yield* hung.takeBack
      yield* asTimePasses(Effect.forEach(starting, Fiber.join))
      assert.deepEqual((yield* writtenDown).toSorted(), cameras.toSorted())
      assert.lengthOf(
        calls.filter((call) => call.startsWith("rename") && call.endsWith("/unfinished_recordings.json")),
        2
      )
    })
  )
})

describe("a stop", () => {
  onFakes(
    "is answered when the disk knows of it, and the camera is not recorded after a power cut",
    Effect.gen(function* () {
      const { disk } = yield* TestGround
      const camera = yield* plugIn()
      yield* record(yield* start({ camera }))
      const hung = yield* disk.suffer({ name: "hung", calls: ["sync"], ...note })
      const stopping = yield* Effect.forkChild((yield* Recordings).stop(camera))
      yield* asTimePasses(hung.met)
      yield* seconds(5)
      assert.isUndefined(stopping.pollUnsafe())
      yield* hung.takeBack
      assert.isUndefined((yield* asTimePasses(Fiber.join(stopping))).reason)
      assert.deepEqual(yield* writtenDown, [])
    })
  )

  onFakes(
    "that a disk which hangs has not written down in time says what that may lead to",
    Effect.gen(function* () {
      const { disk } = yield* TestGround
      const camera = yield* plugIn()
      yield* record(yield* start({ camera }))
      const hung = yield* disk.suffer({ name: "hung", ...note })
      const { files, reason } = yield* stop(camera)
      assert.lengthOf(files, 1)
      assert.strictEqual(reason, "it could not be written down that it is over: after a crash it may go on")
      yield* hung.takeBack
      assert.strictEqual((yield* Effect.flip(stop(camera)))._tag, "InvalidState")
      assert.deepEqual(yield* writtenDown, [])
    })
  )
})

describe("the service's end", () => {
  it.effect(
    "says that recordings may go on where a disk that hangs has not written down in time that none does",
    () => {
      const { layer, lines } = listening()
      return Effect.gen(function* () {
        const { disk } = yield* TestGround
        const hung = disk.suffer({ name: "hung", ...note }).pipe(Scope.provide(yield* Effect.scope))
        const recorded = Effect.flatMap(plugIn(), (camera) => start({ camera }))
        yield* runFake(dataFolder, Effect.andThen(recorded, hung))
        assert.include(lines.map(({ message }) => message).join("\n"), "after the next start they may go on")
      }).pipe(Effect.scoped, onTestGround, Effect.provide(layer))
    }
  )
})

describe("what is written down", () => {
  it.effect("is said once in the log when the disk does not take it, and once when it does again", () => {
    const { layer, lines } = listening()
    const said = () => lines.map(({ level, message }) => `${level}: ${message}`)
    return Effect.gen(function* () {
      const unfinished = yield* Unfinished
      const { suffer } = yield* MemoryDisk
      const hung = yield* suffer({ name: "hung", ...note })
      for (const device of ["camera0", "camera1"] as const) {
        const adding = yield* Effect.forkChild(Effect.flip(unfinished.add({ device, format: "fmp4" })))
        yield* TestClock.adjust("10 seconds")
        assert.strictEqual((yield* Fiber.join(adding)).dependency, "storage")
      }
      assert.deepEqual(said(), ["warning: which recordings are under way could not be written down"])
      yield* hung.takeBack
      yield* unfinished.add({ device: "camera2", format: "fmp4" })
      assert.deepEqual(said().slice(1), ["info: which recordings are under way is written down again"])
    }).pipe(Effect.provide([onMemory, layer]))
  })

  it.effect.each([6, 7, 9, 19])(
    "loses no change of those that come at once, with fibers that yield every %s operations",
    (count) =>
      Effect.gen(function* () {
        const unfinished = yield* Unfinished
        const cameras = Array.from({ length: 20 }, (_, number) => `camera${number}` as const)
        const add = (device: (typeof cameras)[number]) => unfinished.add({ device, format: "fmp4" })
        yield* Effect.forEach(cameras, add, { concurrency: "unbounded", discard: true }).pipe(
          Effect.provideService(MaxOpsBeforeYield, count)
        )
        assert.sameMembers(
          (yield* unfinished.list).map(({ device }) => device),
          cameras
        )
      }).pipe(Effect.provide(onMemory))
  )

  it.effect("is known once a disk that failed to read it does: till then the file keeps what it holds", () => {
    const { layer, lines } = listening()
    const at = "/data/unfinished_recordings.json"
    return Effect.gen(function* () {
      const { outside } = yield* MemoryDisk
      const text = () => new TextDecoder().decode(outside.read(at))
      const held = JSON.stringify({ version: 1, recordings: ["camera0", "camera1"].map(inFmp4) })
      outside.makeFolder("/data")
      outside.write(at, new TextEncoder().encode(held))
      const disk = failing()
      yield* Effect.gen(function* () {
        const unfinished = yield* Unfinished
        const listing = yield* Effect.forkChild(unfinished.list)
        yield* TestClock.adjust("1 minute")
        assert.strictEqual((yield* Effect.flip(unfinished.add(inFmp4("camera2")))).dependency, "storage")
        yield* Effect.flip(unfinished.remove("camera1"))
        yield* TestClock.adjust("1 minute")
        assert.isUndefined(listing.pollUnsafe())
        assert.strictEqual(text(), held)
        disk.isFailing = false
        yield* TestClock.adjust("30 seconds")
        const wanted = ["camera0", "camera2"].map(inFmp4)
        assert.deepEqual<unknown>(yield* Fiber.join(listing), wanted)
        assert.deepEqual(JSON.parse(text()), { version: 1, recordings: wanted })
        const said = lines.map(({ message }) => message).filter((message) => message.includes("cut off"))
        assert.lengthOf(said, 2)
      }).pipe(Effect.provide(disk.layer))
    }).pipe(Effect.provide([memoryGround, layer]))
  })

  it.effect("is over after the service's end, also where the disk did not tell what it was", () =>
    Effect.gen(function* () {
      const { outside } = yield* MemoryDisk
      const at = "/data/unfinished_recordings.json"
      outside.makeFolder("/data")
      outside.write(at, new TextEncoder().encode(JSON.stringify({ version: 1, recordings: [inFmp4("camera0")] })))
      yield* Effect.flatMap(Unfinished, ({ clear }) => clear).pipe(Effect.provide(failing().layer))
      assert.deepEqual(JSON.parse(new TextDecoder().decode(outside.read(at))).recordings, [])
    }).pipe(Effect.provide(memoryGround))
  )
})
