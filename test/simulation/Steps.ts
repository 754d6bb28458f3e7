import { fractions } from "../../testing/Chance.ts"
import { type Action, actions, incidents, uses } from "./Actions.ts"

/** One thing that happens, so many milliseconds after the last one. */
export interface Step {
  /** its place in the day */
  readonly number: number
  readonly pause: number
  readonly action: string
  /** what its own choices depend on */
  readonly seed: number
}

type Actions = ReadonlyArray<readonly [string, Action]>

/** Each life goes without some of what may happen: what is left happens more often, and longer in a row. */
const missing = 0.25

const leaveOut = (all: Readonly<Record<string, Action>>, chance: () => number): Actions =>
  Object.entries(all).filter(() => chance() >= missing)

const pick = (all: Actions, chance: number): string => {
  let left = chance * all.reduce((sum, [, { weight }]) => sum + weight, 0)
  for (const [name, { weight }] of all) {
    left -= weight
    if (left < 0) return name
  }
  return ""
}

/** What happens in the busy time that a seed makes. */
export const stepsOf = (seed: number, count: number): ReadonlyArray<Step> => {
  const chance = fractions(seed)
  const all = leaveOut(actions, chance)
  return Array.from({ length: count }, (_, number) => ({
    number,
    // most things come soon after another, some after a long while
    pause: Math.min(120_000, -Math.log(1 - chance()) * (chance() < 0.5 ? 1500 : 15_000)),
    action: pick(all, chance()),
    seed: 1 + Math.floor(chance() * 1e9)
  }))
}

/** A pause that is so long, in milliseconds, is a quiet time. */
export const hour = 3_600_000

/**
 * Days, at some time of each of which something goes wrong, while somebody uses the service or nobody does; and a quiet time
 * between them.
 */
export const daysOf = (seed: number, days: number): ReadonlyArray<Step> => {
  const chance = fractions(seed)
  const all = leaveOut(actions, chance)
  const wrong = all.filter(([name]) => incidents.has(name))
  const some = all.filter(([name]) => uses.has(name))
  const upTo = (most: number, from: Actions) => Array.from({ length: Math.floor(chance() * (most + 1)) }, () => from)
  const steps: Array<Step> = []
  let last = 0
  for (let day = 0; day < days; day++) {
    const at = (24 * day + 2 + 20 * chance()) * hour
    let pause = at - last
    for (const from of [...upTo(2, some), wrong, ...upTo(2, all)]) {
      steps.push({ number: steps.length, pause, action: pick(from, chance()), seed: 1 + Math.floor(chance() * 1e9) })
      pause = -Math.log(1 - chance()) * 4000
    }
    last = at
  }
  // the last day ends, too
  steps.push({ number: steps.length, pause: 24 * days * hour - last, action: "something is put right", seed: 1 })
  return steps
}

/** The command that lives through these of them again; `how` they are made: `--count 60`, `--days 25`. */
export const replayOf = (
  seed: number,
  how: string,
  all: ReadonlyArray<Step>,
  these: ReadonlyArray<Step> = all
): string => {
  const chosen = these.length === all.length ? "" : ` --steps ${these.map(({ number }) => number).join(",")}`
  return `node test/simulation/main.ts --seed ${seed} ${how}${chosen}`
}
