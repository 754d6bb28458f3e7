import { setTimeout } from "node:timers/promises"

export const pause = (milliseconds: number): Promise<void> => setTimeout(milliseconds)

/** Asks until the answer is yes; gives the milliseconds that took. Fails after `bound` milliseconds. */
export const until = async (
  what: string,
  condition: () => boolean | Promise<boolean>,
  { bound = 15_000, every = 5 }: { readonly bound?: number; readonly every?: number } = {}
): Promise<number> => {
  const began = performance.now()
  while (!(await condition())) {
    if (performance.now() - began > bound) throw new Error(`${what}: not within ${bound / 1000} s`)
    await pause(every)
  }
  return performance.now() - began
}
