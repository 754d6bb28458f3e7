import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import type { DependencyFailed } from "../../schema/Errors.ts"
import { makeTrouble } from "../telemetry/Trouble.ts"
import { storageFailed } from "./StorageFailed.ts"

/** An SD card's worst sync takes 3 s, and what it notes of a file less. A disk that takes longer is as good as one that fails. */
const patience = Duration.seconds(5)

/**
 * Gives what has nobody wait for longer than that for what the disk is to do, which goes on beside to its end: who waits is
 * told that the disk does not answer, and who comes until it has is told so at once. Who is interrupted waits no less: the
 * service's end leaves nothing behind that a slow disk may yet do.
 */
export const inTime = (doing: string) => {
  const late = storageFailed(doing, { code: "ETIMEDOUT" })
  const trouble = makeTrouble()
  /** works that somebody has given up */
  let overdue = 0

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

  return <A, E>(work: Effect.Effect<A, E>): Effect.Effect<A, E | DependencyFailed> =>
    Effect.uninterruptible(
      Effect.gen(function* () {
        if (overdue > 0) return yield* late
        const working = yield* Effect.forkDetach(work, { startImmediately: true })
        return yield* Effect.timeoutOrElse(Effect.interruptible(Fiber.join(working)), {
          duration: patience,
          orElse: () => giveUp(working)
        })
      })
    )
}
