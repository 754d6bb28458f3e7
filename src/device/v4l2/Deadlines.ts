import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Latch from "effect/Latch"
import { monotonicNow } from "../../ground/Time.ts"

/** A call that somebody waits for. */
interface Pending {
  /** milliseconds of the monotonic clock */
  readonly until: number
  readonly giveUp: () => void
}

/**
 * Awaits what a call promises, for `limit` at most: `late` after it, though the call may go on; `failed` when it rejects.
 * One fiber keeps the time of all calls: a timer and two fibers for each would cost more than the calls do.
 */
export const makeDeadlines = Effect.fnUntraced(function* <E>(
  limit: Duration.Duration,
  late: () => E,
  failed: (cause: unknown) => E
) {
  const now = yield* monotonicNow
  const millis = Duration.toMillis(limit)
  // all have the same limit, so the oldest is the first to be late
  const pending = new Set<Pending>()
  const busy = yield* Latch.make(false)
  const keepTime = Effect.gen(function* () {
    const [oldest] = pending
    if (oldest === undefined) {
      busy.closeUnsafe()
      return yield* busy.await
    }
    const left = oldest.until - now()
    if (left > 0) return yield* Effect.sleep(Duration.millis(left))
    pending.delete(oldest)
    oldest.giveUp()
  })
  yield* Effect.forkScoped(Effect.forever(keepTime), { startImmediately: true })

  return <A>(answer: Promise<A>): Effect.Effect<A, E> =>
    Effect.callback((resume) => {
      const call = {
        until: now() + millis,
        giveUp: () => resume(Effect.fail(late()))
      }
      const end = (outcome: Effect.Effect<A, E>): void => {
        if (pending.delete(call)) resume(outcome)
      }
      pending.add(call)
      busy.openUnsafe()
      answer.then(
        (value) => end(Effect.succeed(value)),
        (cause: unknown) => end(Effect.fail(failed(cause)))
      )
      return Effect.sync(() => pending.delete(call))
    })
})
