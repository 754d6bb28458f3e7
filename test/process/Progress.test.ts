import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Queue from "effect/Queue"
import * as Stream from "effect/Stream"
import { progressOf } from "../../src/process/Progress.ts"

const block = (frame: number, more: string) =>
  Buffer.from(`frame=${frame}\nfps=25.5\nstream_0_0_q=28.0\n${more}\nout_time_us=480000\nprogress=continue\n`)

describe("Progress", () => {
  it.effect("reports frames and time, however the bytes arrive", () =>
    Effect.gen(function* () {
      const bytes = block(12, "bitrate= 614.4kbits/s")
      const progress = yield* progressOf(
        Stream.make(bytes.subarray(0, 9), bytes.subarray(9)).pipe(Stream.concat(Stream.never))
      )
      assert.deepStrictEqual(yield* progress.pipe(Stream.take(1), Stream.runCollect), [
        { frame: 12, outTimeUs: 480_000 }
      ])
    })
  )

  it.effect("says 0 for what FFmpeg doesn't know", () =>
    Effect.gen(function* () {
      const bytes = Buffer.from("frame=1\nfps=0.00\nbitrate=N/A\nout_time_us=N/A\nprogress=continue\n")
      const progress = yield* progressOf(Stream.make(bytes).pipe(Stream.concat(Stream.never)))
      assert.deepStrictEqual(yield* progress.pipe(Stream.take(1), Stream.runCollect), [{ frame: 1, outTimeUs: 0 }])
    })
  )

  it.effect("is read though nobody listens, and gives the latest to who comes late", () =>
    Effect.gen(function* () {
      const pipe = yield* Queue.bounded<Uint8Array>(1)
      const progress = yield* progressOf(Stream.fromQueue(pipe))
      for (let frame = 1; frame <= 100; frame++) yield* Queue.offer(pipe, block(frame, "bitrate=N/A"))
      const seen = yield* progress.pipe(
        Stream.map(({ frame }) => frame),
        Stream.takeUntil((frame) => frame === 100),
        Stream.runCollect
      )
      assert.isAtMost(seen.length, 5)
    })
  )

  it.effect("ends when FFmpeg ends", () =>
    Effect.gen(function* () {
      const progress = yield* progressOf(Stream.make(block(7, "bitrate=N/A")))
      const seen = yield* progress.pipe(Stream.runCollect)
      assert.isAtMost(seen.length, 1)
    })
  )
})
