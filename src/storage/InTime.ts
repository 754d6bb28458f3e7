import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import type { DependencyFailed } from "../../schema/Errors.ts"
import { monotonicNow } from "../ground/Time.ts"
import { makeTrouble } from "../telemetry/Trouble.ts"
import { storageFailed } from "./StorageFailed.ts"

/** An SD card's worst sync takes 3 s, and what it notes of a file less. A disk that takes longer is as good as one that fails. */
const workTime = Duration.seconds(5)
/** A small file that lasts takes two syncs, one after the other. */
export const smallFileTime = Duration.seconds(10)

/**
 * Gives what has nobody wait for longer than that for what the disk is to do, which goes on beside to its end: who waits is
 * told that the disk does not answer, and who comes until it has is told so at once. A disk that does one work after the other
 * answers: many wait for it at its pace. Who is interrupted waits no less: the service's end leaves nothing behind that a slow
 * disk may yet do.
 */
export const inTime = (doing: string, patience: Duration.Duration = workTime) => {
  const late = storageFailed(doing, { code: "ETIMEDOUT" })
  const trouble = makeTrouble()
  /** works that somebody has given up */
  let overdue = 0
  /** when the disk had done one last */
  let done = -Infinity

  const giveUp = (work: Fiber.Fiber<unknown, unknown>) =>
    Effect.gen(function* () {
      overdue++
      yield* trouble.began(late.detail, `for ${Duration.format(patience)}`)
      const ended = Effect.gen(function* () {
        yield* Fiber.await(work)
        overdue--
        if (overdue === 0) yield* trouble.isOver(`can ${doing} again`)
      })
      yield* Effect.forkDetach(ended)
      return yield* late
    })

  const awaited = <A, E>(
    work: Fiber.Fiber<A, E>,
    now: () => number,
    since: number
  ): Effect.Effect<A, E | DependencyFailed> =>
    Effect.timeoutOrElse(Effect.interruptible(Fiber.join(work)), {
      duration: since + Duration.toMillis(patience) - now(),
      orElse: () => (done > since ? awaited(work, now, done) : giveUp(work))
    })

  return <A, E>(work: Effect.Effect<A, E>): Effect.Effect<A, E | DependencyFailed> =>
    Effect.uninterruptible(
      Effect.gen(function* () {
        if (overdue > 0) return yield* late
        const now = yield* monotonicNow
        const since = now()
        const noted = Effect.tap(work, () =>
          Effect.sync(() => {
            done = now()
          })
        )
        return yield* awaited(yield* Effect.forkDetach(noted, { startImmediately: true }), now, since)
      })
    )
}
