import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import * as SubscriptionRef from "effect/SubscriptionRef"
import type { FfmpegFailed } from "../process/Ffmpeg.ts"
import type { Complaint } from "../device/Input.ts"
import type { LiveStream } from "./LiveStream.ts"
import type { PublisherEnded } from "./PublisherEnded.ts"

/** What follows when a stream's FFmpeg ends: who waits is told, and how long it is until the next one. */

/** Told before FFmpeg's end is waited for: one that froze may take seconds to go. */
export const noteFailure = <A>(
  run: Effect.Effect<A, PublisherEnded | FfmpegFailed, Scope.Scope>,
  stream: LiveStream
): Effect.Effect<A, PublisherEnded | FfmpegFailed, Scope.Scope> =>
  Effect.tapError(run, (error) =>
    Effect.gen(function* () {
      const reason = error._tag === "PublisherEnded" ? error.reason : error.detail
      // one that ran well before it ended is not a failure in a row
      const wasReady = SubscriptionRef.getUnsafe(stream.state)._tag === "Ready"
      stream.now.failures = wasReady ? 1 : stream.now.failures + 1
      stream.now.restarts++
      const lasting = error._tag === "PublisherEnded" ? error.lasting : undefined
      const isFailing = stream.now.failures > 1 || lasting !== undefined
      // one that was pulled out is told as such, and one that is back already only has to start
      const isCamera = lasting !== undefined && lasting !== "UNHEARD" && lasting !== "GONE"
      yield* SubscriptionRef.set(
        stream.state,
        isFailing
          ? { _tag: "Failing" as const, reason, ...(isCamera ? { isCamera } : {}) }
          : { _tag: "Starting" as const, reason }
      )
      yield* Effect.logWarning("the stream's FFmpeg ended", reason)
    })
  )

/** What a camera's complaint means for the one who waits for its stream. */
export const lastingOf = ({ kind }: Complaint): Pick<PublisherEnded, "lasting"> =>
  kind === "FROZEN" || kind === "WRONG_DATA" || kind === "UNRESPONSIVE" ? {} : { lasting: kind }

/** How long it makes no sense to try again, in milliseconds, where more is known than that FFmpeg failed. */
const atLeast: Readonly<Record<NonNullable<PublisherEnded["lasting"]>, number>> = {
  // its going is told before; if not, the camera is still there
  GONE: 1000,
  UNHEARD: 0,
  // each of these recovers with a word, which ends the wait
  BUSY: 10_000,
  NO_PERMISSION: 30_000,
  // another stream of the bus has to end first
  NO_BANDWIDTH: 2000
}

/** A quarter of a second after the first failure, twice as long after each more, 10 s at most; a fifth of it by chance. */
export const pause = (stream: LiveStream, error: PublisherEnded | FfmpegFailed): Effect.Effect<void> =>
  Effect.suspend(() => {
    const growing = Math.min(10_000, 125 * 2 ** stream.now.failures) * (0.9 + Math.random() * 0.2)
    const least = error._tag === "PublisherEnded" && error.lasting !== undefined ? atLeast[error.lasting] : 0
    return Effect.sleep(Duration.millis(Math.max(least, growing)))
  })
