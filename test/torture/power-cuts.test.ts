import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import type { Forgets } from "../power/Life.ts"
import { whyNoLoggedDisk } from "../power/LoggedDisk.ts"
import { sufferPowerCuts } from "../suites/powerCuts.ts"

const seeds = 20
const all = { seconds: 6, flushes: Number.POSITIVE_INFINITY, starts: 2 }
/** Its cameras have recorded 150 files each at the end. */
const long = { seconds: 600, pace: 10, megabytes: 1024, flushes: 100, starts: 4, seed: 1 }
const hour = 3_600_000

describe.skipIf(whyNoLoggedDisk() !== undefined)("power cuts", () => {
  for (let seed = 1; seed <= seeds; seed++) {
    it.live(
      `of every flush of ${all.seconds} s cost the last second of what is recorded, and nothing else (${seed})`,
      () =>
        Effect.gen(function* () {
          const { allowedSeconds, broken, cuts, mostLostSeconds } = yield* sufferPowerCuts({ ...all, seed })
          yield* Effect.logInfo(`${cuts} power cuts, ${mostLostSeconds} s lost at most`)
          assert.deepEqual(broken, [])
          assert.isAtMost(mostLostSeconds, allowedSeconds)
        }),
      hour
    )
  }

  it.live(
    `of ${long.flushes} of the flushes of ${long.seconds} s cost no more`,
    () =>
      Effect.gen(function* () {
        const { allowedSeconds, broken, cuts, mostLostSeconds } = yield* sufferPowerCuts(long)
        yield* Effect.logInfo(`${cuts} power cuts, ${mostLostSeconds} s lost at most`)
        assert.deepEqual(broken, [])
        assert.isAtMost(mostLostSeconds, allowedSeconds)
      }),
    hour
  )

  for (const forgets of ["folders", "new files", "recordings", "remuxed recordings"] satisfies ReadonlyArray<Forgets>) {
    it.live(
      `are not survived where syncs of ${forgets} are left out`,
      () =>
        Effect.gen(function* () {
          const { allowedSeconds, broken, mostLostSeconds } = yield* sufferPowerCuts({
            ...all,
            seed: 1,
            seconds: 20,
            forgets
          })
          assert.isTrue(broken.length > 0 || mostLostSeconds > allowedSeconds)
        }),
      hour
    )
  }
})
