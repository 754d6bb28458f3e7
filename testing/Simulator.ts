import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import type * as Exit from "effect/Exit"
import { fractions } from "./Chance.ts"
import { makeSeededScheduler } from "./SeededScheduler.ts"
import { makeSimulatedClock, type SimulatedClock } from "./SimulatedClock.ts"
import { forbidStrays } from "./Strays.ts"

/** Of the time that is the machine's own, before it is forbidden. */
const { setImmediate } = globalThis

/** All that promises lead to has happened after it. */
const turn = (): Promise<void> => new Promise((resolve) => void setImmediate(resolve))

export interface Simulated {
  readonly clock: SimulatedClock
  /** from now on called whenever nothing is ready, before time goes on; what it throws ends the simulation */
  readonly whenAtRest: (look: () => void) => void
}

/**
 * Runs an effect and all that it forks, in an order of its fibers and on a clock that depend on the seed alone: time passes,
 * at once, when nothing else is left to do. One simulation at a time.
 *
 * Not seen by it: dynamic imports (load beforehand what is loaded lazily), SQLite, which answers at once, `performance`, which
 * the watch over the event loop asks (`src/self/EventLoop`), and whoever took one of the machine's own functions for itself before.
 */
export const simulate = async <A, E>(
  seed: number,
  run: (simulated: Simulated) => Effect.Effect<A, E>
): Promise<Exit.Exit<A, E>> => {
  const chance = fractions(seed)
  const { drain, scheduler } = makeSeededScheduler(chance, disorderOf(chance()))
  const clock = makeSimulatedClock(chance)
  let look = (): void => undefined
  const strays = forbidStrays(fractions(seed + 1))
  try {
    const effect = run({
      clock,
      whenAtRest: (next) => {
        look = next
      }
    })
    const fiber = Effect.runFork(Effect.provideService(effect, Clock.Clock, clock), { scheduler })
    for (;;) {
      do {
        drain()
        await turn()
        for (let given = strays.giveNext(); given !== undefined; given = strays.giveNext()) {
          await given
          await turn()
        }
      } while (drain() > 0)
      const exit = fiber.pollUnsafe()
      if (strays.met().length > 0) throw new Error(strays.met().join("\n\n"))
      if (exit !== undefined) return exit
      look()
      if (!clock.wakeNext()) throw new Error("everybody waits, and for nothing that time brings")
    }
  } finally {
    strays.restore()
  }
}

/** Some runs are as orderly as the real thing, some are not at all. */
const disorderOf = (chance: number): number => (chance < 0.25 ? 0 : chance < 0.5 ? 0.1 : 1)
