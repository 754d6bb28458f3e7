import type { Scheduler } from "effect/Scheduler"

interface Task {
  readonly run: () => void
  readonly priority: number
  /** whose it is: one fiber's own tasks keep their order, as they do on Effect's scheduler */
  readonly owner: object
}

/** Runs fibers one after the other when it is told to, in an order that a seed decides. */
export interface SeededScheduler {
  readonly scheduler: Scheduler
  /** all that is ready, and what comes of it, until nothing is; gives how many tasks there were */
  readonly drain: () => number
}

/** Whoever has run so many tasks without a pause in between waits for something that only time brings. */
const mostTasks = 2_000_000

/**
 * Effect's own scheduler takes what is ready in the order in which it became ready. Here `chance` (0 to less than 1) picks:
 * in a share `disorder` of all cases any owner's next task, else the oldest one. What becomes ready meanwhile has its turn
 * in the next round, as it would in the next turn of Node's loop.
 */
export const makeSeededScheduler = (chance: () => number, disorder: number): SeededScheduler => {
  let ready: Array<Task> = []

  const scheduler: Scheduler = {
    executionMode: "async",
    shouldYield: (fiber) => fiber.currentOpCount >= fiber.cache.maxOpsBeforeYield,
    makeDispatcher: () => {
      const owner = {}
      return {
        scheduleTask: (run, priority) => void ready.push({ run, priority, owner }),
        flush: () => {
          const mine = ready.filter((task) => task.owner === owner)
          ready = ready.filter((task) => task.owner !== owner)
          for (const { run } of mine) run()
        }
      }
    }
  }

  const next = (round: Array<Task>): Task | undefined => {
    if (round.length > 1 && chance() < disorder) {
      const at = Math.floor(chance() * round.length)
      const owner = round[at]?.owner
      return round.splice(
        round.findIndex((task) => task.owner === owner),
        1
      )[0]
    }
    return round.shift()
  }

  const drain = (): number => {
    let count = 0
    while (ready.length > 0) {
      const priorities = [...new Set(ready.map(({ priority }) => priority))].sort((a, b) => a - b)
      const all = ready
      ready = []
      for (const priority of priorities) {
        const round = priorities.length === 1 ? all : all.filter((task) => task.priority === priority)
        for (let task = next(round); task !== undefined; task = next(round)) {
          task.run()
          if (++count > mostTasks) throw new Error("the simulation does not come to rest: fibers wait without a pause")
        }
      }
    }
    return count
  }

  return { scheduler, drain }
}
