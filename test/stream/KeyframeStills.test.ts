import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Queue from "effect/Queue"
import * as TestClock from "effect/testing/TestClock"
import { Settings } from "../../src/config/Settings.ts"
import { Disk } from "../../src/ground/Disk.ts"
import type { Keyframe } from "../../src/media/Keyframes.ts"
import { Ffmpeg } from "../../src/process/Ffmpeg.ts"
import { KeyframeStills } from "../../src/stream/KeyframeStills.ts"
import { fakeSpawner } from "../support/Spawners.ts"
import { testSettings } from "../support/TestSettings.ts"

/** What is needed of a JPEG of this width: its beginning, its frame header, and its end. */
const jpegOf = (width: number) =>
  Buffer.of(0xff, 0xd8, 0xff, 0xc0, 0, 11, 8, 0, 16, 0, width, 1, 1, 0x11, 0, 0xff, 0xd9).toString("latin1")

/** Of two cameras of one model: with the same parameter sets. */
const keyframe: Keyframe = {
  codec: "h264",
  bytes: Buffer.of(0, 0, 0, 1, 0x67, 1, 0, 0, 0, 1, 0x68, 2, 0, 0, 0, 1, 0x65)
}

/** How many pictures it makes. */
const countIn = (argv: ReadonlyArray<string>) => argv[argv.indexOf("-frames:v") + 1]

const bench = Effect.gen(function* () {
  const { layer, started } = yield* fakeSpawner
  const ffmpeg = Ffmpeg.layer.pipe(Layer.provide([layer, Disk.layer, Layer.succeed(Settings, testSettings())]))
  const context = yield* Layer.build(KeyframeStills.layer.pipe(Layer.provide(ffmpeg)))
  const { stills } = yield* Effect.provide(KeyframeStills, context)
  /** A stream of which a keyframe comes each time, and is given to be made a picture. */
  const camera = () => {
    const stillOf = stills()
    const picture = Effect.suspend(() => stillOf(keyframe, { wall: 0, monotonic: 0 }, undefined, 85).picture)
    return Effect.tap(Effect.forkChild(picture), TestClock.adjust(0))
  }
  return { camera, started }
})

describe("pictures of keyframes", () => {
  it.effect("are made of one camera's by nobody who has seen another's, though their parameter sets are the same", () =>
    Effect.gen(function* () {
      const { camera, started } = yield* bench
      const [first, second] = [camera(), camera()]
      const makeNext = Effect.gen(function* () {
        const taken = yield* first
        yield* Effect.flatMap(Queue.take(started), (process) => process.end(0, { stdout: jpegOf(1) }))
        yield* Fiber.join(taken)
        yield* TestClock.adjust("100 millis")
      })
      yield* makeNext
      yield* makeNext
      const standing = yield* Queue.takeN(started, 2)
      const plain = standing.find(({ argv }) => countIn(argv) === "1")
      const practised = standing.find(({ argv }) => countIn(argv) === "2")
      yield* practised?.say(jpegOf(1)) ?? Effect.die("none practises")
      yield* TestClock.adjust(0)
      const taken = yield* second
      // as the first camera's keyframe would have it
      yield* practised?.say(jpegOf(1)) ?? Effect.void
      yield* plain?.end(0, { stdout: jpegOf(2) }) ?? Effect.die("none stands by")
      assert.strictEqual((yield* Fiber.join(taken)).width, 2)
    })
  )
})
