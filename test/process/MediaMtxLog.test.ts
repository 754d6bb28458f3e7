import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Queue from "effect/Queue"
import * as References from "effect/References"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/testing/TestClock"
import { relog, type SaidLately } from "../../src/process/MediaMtxLog.ts"
import { listening } from "../support/Log.ts"

const bytes = (line: string) => new TextEncoder().encode(`2026/01/02 03:04:05 ${line}\n`)

/** MediaMTX's output, and what of it came to the log. */
const logged = Effect.gen(function* () {
  const { layer, lines: said } = listening()
  const heard: Array<string> = []
  const output = yield* Queue.unbounded<Uint8Array>()
  const lately: SaidLately = new Map()
  const relogged = <E>(printed: Stream.Stream<Uint8Array, E>) =>
    relog(printed, lately, (line) => heard.push(line)).pipe(
      Effect.provide(layer),
      Effect.provideService(References.MinimumLogLevel, "Trace")
    )
  yield* Effect.forkChild(relogged(Stream.fromQueue(output)), { startImmediately: true })
  return {
    said,
    heard,
    print: (line: string) => Queue.offer(output, bytes(line)),
    /** a run of MediaMTX that prints this and ends */
    run: (line: string) => relogged(Stream.make(bytes(line)))
  }
})

const refused = (camera: number, second: number) =>
  `ERR [path camera${camera}] [recorder] write /data/recordings/camera${camera}_2026-11-29_13-45-${second}_107504.mp4: no space left on device`

describe("what MediaMTX says", () => {
  it.effect("is wrong again and again is logged at once, and then once a minute with how often it came", () =>
    Effect.gen(function* () {
      const { heard, print, said } = yield* logged
      for (let second = 10; second < 58; second += 2) {
        for (const camera of [0, 1]) yield* print(refused(camera, second))
        yield* TestClock.adjust("2 seconds")
      }
      assert.lengthOf(heard, 48)
      assert.lengthOf(said, 1)
      assert.deepInclude(said[0], { level: "warning", lines: [refused(0, 10), refused(1, 10)] })
      yield* TestClock.adjust("20 seconds")
      assert.lengthOf(said, 2)
      assert.deepEqual(said[1]?.["lines"], [
        `${refused(0, 56)} (23 more times in 64 s)`,
        `${refused(1, 56)} (23 more times in 64 s)`
      ])
      // it is over, and would be news if it came once more
      yield* TestClock.adjust("10 minutes")
      assert.lengthOf(said, 2)
      yield* print(refused(0, 59))
      yield* TestClock.adjust("2 seconds")
      assert.deepEqual(said[2]?.["lines"], [refused(0, 59)])
    })
  )

  it.effect("of another kind is not held back by it", () =>
    Effect.gen(function* () {
      const { print, said } = yield* logged
      yield* print(refused(0, 10))
      yield* TestClock.adjust("2 seconds")
      yield* print(refused(0, 12))
      yield* print("INF [RTSP] [conn 127.0.0.1:40112] opened")
      yield* TestClock.adjust("2 seconds")
      assert.deepInclude(said[1], { level: "debug", lines: ["INF [RTSP] [conn 127.0.0.1:40112] opened"] })
    })
  )

  it.effect("at each of its starts, which all fail, is logged once, and then once a minute", () =>
    Effect.gen(function* () {
      const { run, said } = yield* logged
      const taken = "ERR listen tcp 127.0.0.1:8554: bind: address already in use"
      for (let second = 0; second < 70; second += 2) {
        yield* run(taken)
        yield* TestClock.adjust("2 seconds")
      }
      assert.deepEqual(
        said.map(({ lines }) => lines),
        [[taken], [`${taken} (29 more times in 60 s)`]]
      )
    })
  )
})
