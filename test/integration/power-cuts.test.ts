import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { whyNoLoggedDisk } from "../power/LoggedDisk.ts"
import { mostLost, sufferPowerCuts } from "../suites/powerCuts.ts"

const reason = whyNoLoggedDisk()

it.live(
  "a power cut at any flush costs the last second of what is recorded, and nothing else",
  (context) =>
    Effect.gen(function* () {
      if (reason !== undefined) return context.skip(reason)
      const { broken, cuts, mostLostSeconds } = yield* sufferPowerCuts({ seed: 1, seconds: 12, flushes: 40, starts: 1 })
      assert.deepEqual(broken, [])
      assert.isAbove(cuts, 60)
      assert.isAtMost(mostLostSeconds, mostLost)
    }),
  120_000
)
