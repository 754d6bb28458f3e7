import { assert, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import { DescribeRecording } from "../../src/storage/DescribeRecording.ts"
import * as Served from "../../src/self/Served.ts"
import { FileIndex } from "../../src/storage/FileIndex.ts"
import { Holds } from "../../src/storage/Holds.ts"
import { fileName } from "../../src/storage/Names.ts"
import { Timeline } from "../../src/storage/Timeline.ts"
import { MemoryDisk } from "../../testing/MemoryDisk.ts"
import { indexed, memoryGround, storage } from "./Workbench.ts"

const second = 1000
const period = { from: -1000 * second, to: 1000 * second }
const [older, growing] = [fileName("camera0", -500 * second, "mp4"), fileName("camera0", -20 * second, "mp4")]
const begun = indexed({ filename: growing, created: -20 * second, modified: -20 * second, duration: 0, codec: "" })
const found = { duration: 0.58, codec: "h264", width: 1280, height: 720 }

const onDisk = (...names: ReadonlyArray<string>) =>
  Effect.map(MemoryDisk, ({ outside }) => {
    for (const name of names) outside.write(`/data/recordings/${name}`, new Uint8Array(1))
  })

/** The room, in which a look into a recording is this. */
const inRoom = <A, E, R>(look: (path: string) => Effect.Effect<typeof found>, body: Effect.Effect<A, E, R>) =>
  body.pipe(
    Effect.provide(Timeline.layer.pipe(Layer.provideMerge(storage("/data")))),
    Effect.provide([Served.layer, Layer.succeed(DescribeRecording, look)]),
    Effect.provide(memoryGround)
  )

/** It is written on, as far as anybody is told. */
const goesOn = Effect.gen(function* () {
  const { files, spans } = yield* Timeline
  const now = { start: -20 * second, end: 0 }
  const told = (yield* spans("camera0", period, 0)).filter(({ isRecording }) => isRecording)
  assert.deepStrictEqual(told, [{ ...now, isRecording: true, reason: undefined }])
  const last = (yield* files("camera0", period, 10)).at(-1)
  assert.deepInclude(last, { ...now, filename: growing, isWritten: true })
})

it.effect("a walk leaves out the file that is recorded, and looks into the others", () => {
  const looked: Array<string> = []
  const look = (path: string) =>
    Effect.as(
      Effect.sync(() => looked.push(path)),
      found
    )
  const body = Effect.gen(function* () {
    const index = yield* FileIndex
    yield* (yield* Holds).hold("recording", growing, "RECORDING")
    yield* onDisk(older, growing)
    yield* index.put(begun)
    yield* index.reconcile
    assert.deepStrictEqual(looked, [`/data/recordings/${older}`])
    yield* goesOn
  })
  return inRoom(look, Effect.scoped(body))
})

it.effect("a walk that looked into a file before its recording told of it says nothing of it afterwards", () =>
  Effect.gen(function* () {
    const [isLookedAt, isRead] = [yield* Deferred.make<void>(), yield* Deferred.make<void>()]
    const look = () =>
      Deferred.succeed(isLookedAt, undefined).pipe(Effect.andThen(Deferred.await(isRead)), Effect.as(found))
    const body = Effect.gen(function* () {
      const index = yield* FileIndex
      yield* onDisk(growing)
      const walk = yield* Effect.forkChild(index.reconcile)
      yield* Deferred.await(isLookedAt)
      yield* (yield* Holds).hold("recording", growing, "RECORDING")
      yield* index.put(begun)
      yield* Deferred.succeed(isRead, undefined)
      yield* Fiber.join(walk)
      assert.deepInclude(yield* index.get("recording", growing), { duration: 0, codec: "" })
      yield* goesOn
    })
    yield* inRoom(look, Effect.scoped(body))
  })
)

it.effect("a file is written while its recording holds it, whatever somebody has said of it", () => {
  const body = Effect.gen(function* () {
    const index = yield* FileIndex
    const { files } = yield* Timeline
    const holds = yield* Holds
    yield* onDisk(growing)
    yield* index.put({ ...begun, ...found })
    yield* Effect.scoped(Effect.andThen(holds.hold("recording", growing, "RECORDING"), goesOn))
    yield* Effect.scoped(
      Effect.gen(function* () {
        yield* holds.hold("recording", growing, "REMUXING")
        const [file] = yield* files("camera0", period, 10)
        assert.deepInclude(file, { end: -20 * second + 580, isWritten: false })
      })
    )
  })
  return inRoom(() => Effect.succeed(found), body)
})
