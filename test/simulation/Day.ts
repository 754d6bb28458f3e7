import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import { fractions } from "../../testing/Chance.ts"
import { simulate } from "../../testing/Simulator.ts"
import { type Action, actions } from "./Actions.ts"
import { calm } from "./Calm.ts"
import { invariants } from "./Invariants.ts"
import { quiet } from "./Rest.ts"
import { makeTrace } from "./Trace.ts"
import { makeWorld, type World } from "./World.ts"

/** One thing that happens, so many milliseconds after the last one. */
export interface Step {
  /** its place in the day */
  readonly number: number
  readonly pause: number
  readonly action: string
  /** what its own choices depend on */
  readonly seed: number
}

export interface Outcome {
  readonly seed: number
  /** the same for the same seed and steps, always */
  readonly hash: string
  /** simulated milliseconds */
  readonly passed: number
  /** the invariant that was broken, and how; undefined: none was */
  readonly broken: string | undefined
  readonly tail: ReadonlyArray<string>
}

/** Each day goes without some of what may happen: what is left happens more often, and longer in a row. */
const missing = 0.25

const pickAction = (all: ReadonlyArray<readonly [string, Action]>, chance: number): string => {
  let left = chance * all.reduce((sum, [, { weight }]) => sum + weight, 0)
  for (const [name, { weight }] of all) {
    left -= weight
    if (left < 0) return name
  }
  return ""
}

/** What happens in the day that a seed makes. */
export const stepsOf = (seed: number, count: number): ReadonlyArray<Step> => {
  const chance = fractions(seed)
  const all = Object.entries(actions).filter(() => chance() >= missing)
  return Array.from({ length: count }, (_, number) => ({
    number,
    // most things come soon after another, some after a long while
    pause: Math.min(120_000, -Math.log(1 - chance()) * (chance() < 0.5 ? 1500 : 15_000)),
    action: pickAction(all, chance()),
    seed: 1 + Math.floor(chance() * 1e9)
  }))
}

const hour = 3_600_000

/**
 * Days with a few incidents, at some time of each, and a quiet time between: a pause of hours. What a pause may be otherwise
 * is far less.
 */
export const daysOf = (seed: number, days: number): ReadonlyArray<Step> => {
  const chance = fractions(seed)
  const all = Object.entries(actions).filter(() => chance() >= missing)
  const steps: Array<Step> = []
  let last = 0
  for (let day = 0; day < days; day++) {
    const at = (24 * day + 2 + 20 * chance()) * hour
    for (let left = 1 + Math.floor(chance() * 3), pause = at - last; left > 0; left--) {
      const seed = 1 + Math.floor(chance() * 1e9)
      steps.push({ number: steps.length, pause, action: pickAction(all, chance()), seed })
      pause = -Math.log(1 - chance()) * 4000
    }
    last = at
  }
  return steps
}

/** The command that lives through it again. */
export const replayOf = (seed: number, count: number, steps: ReadonlyArray<Step>): string => {
  const chosen = steps.length === count ? "" : ` --steps ${steps.map(({ number }) => number).join(",")}`
  return `node test/simulation/main.ts --seed ${seed} --count ${count}${chosen}`
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
  const trace = makeTrace(() => passed(), show)
  let broken: string | undefined
  try {
    const exit = await simulate(seed, (simulated) => {
      ;({ passed } = simulated.clock)
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
  return { seed, hash: trace.hash(), passed: passed(), broken, tail: trace.tail() }
}
