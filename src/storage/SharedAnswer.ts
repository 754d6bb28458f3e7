import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Semaphore from "effect/Semaphore"

/** Who is interrupted does not wait for the disk: the question is left behind, and its answer goes nowhere. */
export const looseAnswer = <A, E>(question: Effect.Effect<A, E>): Effect.Effect<A, E> =>
  Effect.uninterruptibleMask((restore) =>
    Effect.flatMap(Effect.forkDetach(question), (asking) => restore(Fiber.join(asking)))
  )

/**
 * A question that a disk may never answer: who asks while it is under way waits for the same answer, so that a disk which
 * hangs holds one of libuv's threads, not one for each who asks. It is no child of anybody, whose end would wait for that disk.
 */
export const sharedAnswer = <A, E>(question: Effect.Effect<A, E>): Effect.Effect<A, E> => {
  let answer: Deferred.Deferred<A, E> | undefined
  const begin = Effect.suspend(() => {
    if (answer !== undefined) return Effect.succeed(answer)
    const asked = Deferred.makeUnsafe<A, E>()
    answer = asked
    const asking = Effect.onExit(question, (exit) => {
      answer = undefined
      return Deferred.done(asked, exit)
    })
    return Effect.as(Effect.forkDetach(asking), asked)
  })
  return Effect.flatMap(Effect.uninterruptible(begin), Deferred.await)
}

/**
 * The same where an answer that is under way says nothing of who asks now: such a one waits for the next, which begins when
 * that one has come, and all who ask until then wait for it together. A disk that hangs holds one call.
 */
export const nextAnswer = <A, E>(question: Effect.Effect<A, E>): Effect.Effect<A, E> => {
  const oneAtATime = Semaphore.makeUnsafe(1)
  let next: Deferred.Deferred<A, E> | undefined
  const begin = Effect.suspend(() => {
    if (next !== undefined) return Effect.succeed(next)
    const asked = Deferred.makeUnsafe<A, E>()
    next = asked
    const asking = Effect.suspend(() => {
      next = undefined
      return question
    }).pipe(
      oneAtATime.withPermit,
      Effect.onExit((exit) => Deferred.done(asked, exit))
    )
    return Effect.as(Effect.forkDetach(asking), asked)
  })
  return Effect.flatMap(Effect.uninterruptible(begin), Deferred.await)
}
