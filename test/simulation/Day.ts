import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import { fractions } from "../../testing/Chance.ts"
import { simulate } from "../../testing/Simulator.ts"
import { actions } from "./Actions.ts"
import { calm } from "./Calm.ts"
import { invariants } from "./Invariants.ts"
import { quiet } from "./Rest.ts"
import { hour, type Step } from "./Steps.ts"
import { makeTrace } from "./Trace.ts"
import { makeWorld, type World } from "./World.ts"

export interface Outcome {
  readonly seed: number
  /** the same for the same seed and steps, always */
  readonly hash: string
  /** simulated milliseconds */
  readonly passed: number
  /** those of them in which every second was lived through */
  readonly played: number
  /** the invariant that was broken, and how; undefined: none was */
  readonly broken: string | undefined
  readonly tail: ReadonlyArray<string>
}

/** Of every second machine's disk: what it is asked for takes a moment, in which other things happen. */
const moment = "3 millis"

const live = Effect.fnUntraced(function* (world: World, seed: number, steps: ReadonlyArray<Step>) {
  if (seed % 2 === 0) yield* world.ground.disk.suffer({ name: "slow", by: moment })
  for (const key of ["SERIAL0", "SERIAL1", "-7"]) {
    const known = key === "-7" ? { port: "1-7" } : { serial: key }
    world.cameras.push({ key, played: yield* world.ground.cameras.plug({ name: "UVC Camera", ...known }) })
  }
  yield* world.boot
  for (const { action, pause, seed } of steps) {
    if (pause < hour) yield* Effect.sleep(pause)
    else yield* quiet(world, pause, fractions(seed + 1))
    world.trace.note("action", action)
    const known = actions[action]
    if (known === undefined) return yield* Effect.die(new Error(`there is no such thing: ${action}`))
    yield* known.run(world, fractions(seed))
  }
  yield* calm(world)
})

/** Lives through these steps on a machine of its own. */
export const liveThrough = async (
  seed: number,
  steps: ReadonlyArray<Step>,
  show?: (line: string) => void
): Promise<Outcome> => {
  let passed = () => 0
  let passedOver = () => 0
  const trace = makeTrace(() => passed(), show)
  let broken: string | undefined
  try {
    const exit = await simulate(seed, (simulated) => {
      ;({ passed, passedOver } = simulated.clock)
      return Effect.scoped(
        Effect.gen(function* () {
          const world = yield* makeWorld(seed, simulated, trace)
          const all = Object.entries(invariants).map(([name, invariant]) => [name, invariant(world)] as const)
          let next = 0
          simulated.whenAtRest(() => {
            if (passed() < next) return
            next = passed() + 10
            for (const [name, look] of all) {
              const found = look()
              if (found !== undefined) throw new Error(`${name}: ${found}`)
            }
          })
          yield* live(world, seed, steps)
        })
      )
    })
    if (Exit.isFailure(exit)) broken = Cause.pretty(exit.cause)
  } catch (error) {
    broken = error instanceof Error ? error.message : String(error)
  }
  return { seed, hash: trace.hash(), passed: passed(), played: passed() - passedOver(), broken, tail: trace.tail() }
}
