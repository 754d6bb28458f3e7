import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as PassingTime from "../../testing/PassingTime.ts"

/** So much of the test's time may pass before an answer counts as missing: 40 s, four times what a snapshot may take. */
const patience = 2000
/** And so many milliseconds of ours: what ciphers is done by threads that know nothing of the test's time. */
const longest = 30_000
/** What one input may cost, in milliseconds of the processor: more is a hang. */
const mostProcessorTime = 1000

const processorTime = (): number => {
  const { system, user } = process.cpuUsage()
  return (system + user) / 1000
}

/** Waits for an answer as the test's time passes, and not for ever; dies where it does not come, or costs too much. */
export const inTime = <A, E, R>(answer: Effect.Effect<A, E, R>) => awaited(answer, PassingTime.step, patience)

/** The same of what has to come without that any of it passes. */
export const atOnce = <A, E, R>(answer: Effect.Effect<A, E, R>) => awaited(answer, PassingTime.settle, 0)

const awaited = Effect.fnUntraced(function* <A, E, R>(
  answer: Effect.Effect<A, E, R>,
  step: Effect.Effect<void>,
  atLeast: number
) {
  const began = { at: performance.now(), used: processorTime() }
  const fiber = yield* Effect.forkChild(answer, { startImmediately: true })
  for (let steps = 0; fiber.pollUnsafe() === undefined; steps++) {
    if (steps > atLeast && performance.now() - began.at > longest) return yield* Effect.die(new Error("no answer"))
    yield* step
  }
  const used = processorTime() - began.used
  if (used > mostProcessorTime) return yield* Effect.die(new Error(`it took ${Math.round(used)} ms of the processor`))
  return yield* Fiber.join(fiber)
})
