import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { join } from "node:path"
import { fractions } from "../../testing/Chance.ts"
import { lookAfter } from "../power/AfterCut.ts"
import { live } from "../power/Life.ts"
import { temporaryFolder } from "../storage/Workbench.ts"

const seeds = 10
const rounds = 10

for (let seed = 1; seed <= seeds; seed++) {
  it.live(
    `kill -9 of the service and all its children, ${rounds} times at any moment while four cameras record, loses nothing (${seed})`,
    () =>
      Effect.gen(function* () {
        const folder = yield* temporaryFolder
        const chance = fractions(seed)
        for (let round = 0; round < rounds; round++) {
          let moments = 0
          const seconds = 0.5 + 2.5 * chance()
          const history = yield* Effect.scoped(live({ folder, now: () => ++moments }, { seconds }))
          const { broken, lostSeconds } = yield* lookAfter(join(folder, "data"), history, { at: history.end })
          assert.deepEqual(broken, [], `round ${round}, killed after ${seconds} s`)
          assert.strictEqual(lostSeconds, 0)
        }
      }),
    300_000
  )
}
