import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"

/** What a process is to work on, and what comes of it. */
export interface Job<E> {
  readonly input: Deferred.Deferred<Uint8Array>
  readonly output: Deferred.Deferred<Uint8Array, E>
}

interface Waiting<E> extends Job<E> {
  readonly fiber: Fiber.Fiber<void>
}

/** Who takes one picture often takes the next within it; some take one a minute. */
const patience = "2 minutes"
/** What was made is on the disk and told by then; to start a process meanwhile takes 6 ms of that time (measured). */
const pause = "100 millis"

/** Processes that are started before there is work for them, which is what most of a short one's time goes to. */
export interface Standby<E> {
  /** has one with these arguments wait for 2 min, unless one does */
  readonly prepare: (args: ReadonlyArray<string>) => Effect.Effect<void>
  /** the one that waits works on this, or a new one does; soon after another one waits */
  readonly work: (args: ReadonlyArray<string>, input: Uint8Array) => Effect.Effect<Uint8Array, E>
}

/** `run`: a process from its start to its end; it has to do with the job's output whatever ends it. */
export const makeStandby = Effect.fnUntraced(function* <E>(
  run: (args: ReadonlyArray<string>, job: Job<E>) => Effect.Effect<void>
) {
  const scope = yield* Effect.scope
  /** one at most of the same arguments */
  const waiting = new Map<string, Waiting<E>>()

  const begin = Effect.fnUntraced(function* (args: ReadonlyArray<string>) {
    const job: Job<E> = { input: Deferred.makeUnsafe(), output: Deferred.makeUnsafe() }
    const fiber = yield* Effect.forkIn(run(args, job), scope, { startImmediately: true })
    return { ...job, fiber }
  })

  const prepare = Effect.fnUntraced(function* (args: ReadonlyArray<string>) {
    const key = args.join("\n")
    if (waiting.has(key)) return
    const one = yield* begin(args)
    waiting.set(key, one)
    // whether it ends by itself, or nobody wants it
    const over = Effect.raceFirst(Effect.sleep(patience), Fiber.await(one.fiber))
    const dismiss = Effect.suspend(() => {
      if (waiting.get(key) !== one) return Effect.void
      waiting.delete(key)
      return Fiber.interrupt(one.fiber)
    })
    yield* Effect.forkIn(Effect.andThen(over, dismiss), scope)
  }, Effect.uninterruptible)

  const work = Effect.fnUntraced(function* (args: ReadonlyArray<string>, input: Uint8Array) {
    const key = args.join("\n")
    const one = waiting.get(key) ?? (yield* begin(args))
    waiting.delete(key)
    Deferred.doneUnsafe(one.input, Effect.succeed(input))
    return yield* Deferred.await(one.output).pipe(
      Effect.onInterrupt(() => Fiber.interrupt(one.fiber)),
      // after it, which has the processor to itself
      Effect.ensuring(Effect.forkIn(Effect.delay(prepare(args), pause), scope))
    )
  })

  return { prepare, work } satisfies Standby<E> as Standby<E>
})
