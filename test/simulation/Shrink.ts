import { liveThrough, type Outcome } from "./Day.ts"
import type { Step } from "./Steps.ts"

/** What a failure is about, without its names and numbers. */
const kindOf = ({ broken }: Outcome): string | undefined =>
  broken
    ?.split("\n")[0]
    ?.replaceAll(/[\d._-]+/g, "#")
    .slice(0, 80)

/** Delta debugging (Zeller, "Yesterday, my program worked", 1999): leaves out what the failure does not need. */
export const shrink = async (
  seed: number,
  steps: ReadonlyArray<Step>,
  failed: Outcome
): Promise<ReadonlyArray<Step>> => {
  let needed = steps
  for (let size = Math.ceil(steps.length / 2); size >= 1; size = size === 1 ? 0 : Math.ceil(size / 2)) {
    for (let from = 0; from < needed.length;) {
      const fewer = needed.filter((_, i) => i < from || i >= from + size)
      const outcome = await liveThrough(seed, fewer)
      if (kindOf(outcome) === kindOf(failed)) needed = fewer
      else from += size
    }
  }
  return needed
}
