import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { whyNoLoggedDisk } from "../power/LoggedDisk.ts"
import { sufferPowerCuts } from "../suites/powerCuts.ts"

const reason = whyNoLoggedDisk()

it.live(
  "a power cut at any flush costs the last second of what is recorded, and nothing else",
  (context) =>
    Effect.gen(function* () {
      if (reason !== undefined) return context.skip(reason)
      const { allowedSeconds, broken, cuts, mostLostSeconds } = yield* sufferPowerCuts({
        seed: 1,
        seconds: 9,
        flushes: 20,
        starts: 1
      })
      assert.deepEqual(broken, [])
      assert.isAbove(cuts, 20)
      assert.isAtMost(mostLostSeconds, allowedSeconds)
    }),
  240_000
)

it.live(
  "a service whose recordings are not synced does not survive them: these tests can fail",
  (context) =>
    Effect.gen(function* () {
      if (reason !== undefined) return context.skip(reason)
      const plan = { seed: 1, seconds: 6, flushes: 60, starts: 0, forgets: "recordings" } as const
      const { allowedSeconds, broken, mostLostSeconds } = yield* sufferPowerCuts(plan)
      assert.isTrue(broken.length > 0 || mostLostSeconds > allowedSeconds)
    }),
  240_000
)
