import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { eventually } from "../support/Eventually.ts"
import { clientOf, startReady } from "../support/Service.ts"

it.live("a stream's status tells its own frames, rate and bits, not those of the pictures at hand", () =>
  Effect.gen(function* () {
    const service = yield* startReady()
    const { call } = yield* clientOf(service, { role: "operator" })
    yield* call.start_streaming({ device: "camera0" })
    const status = call.get_stream_status({ device: "camera0" })
    yield* eventually(
      "the stream has run for some seconds",
      Effect.map(status, ({ metrics }) => metrics.frames_sent >= 75)
    )
    const { metrics } = yield* status
    assert.closeTo(metrics.fps, 25, 5)
    // 600 kbit/s are the most that it is encoded with; the keyframes of its start come on top
    assert.isAbove(metrics.bitrate, 100_000)
    assert.isBelow(metrics.bitrate, 1_500_000)
  })
)
