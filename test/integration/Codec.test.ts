import { assert } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { codecOf, readyStream } from "../suites/streams.ts"
import { plugIn, realPrograms } from "../support/App.ts"
import { until } from "../support/Ground.ts"

realPrograms.test(
  "what the bit stream says of itself meets stanag4406",
  Effect.gen(function* () {
    const stream = yield* readyStream(yield* plugIn())
    const codec = yield* until(
      "the stream's SPS",
      Effect.sync(() => codecOf(stream))
    )
    assert.deepEqual(codec, {
      profile: "constrained baseline",
      level: "3.0",
      width: 640,
      height: 480,
      conformant: true
    })
  })
)
