import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Semaphore from "effect/Semaphore"
import { FfmpegFailed } from "./FfmpegFailed.ts"

/** What FFmpeg is run for to its end, by what one kind may keep waiting: only its own. */
export type Work = "picture" | "remux" | "trial" | "thumbnail" | "export"

/**
 * How many of a kind run at once: a burst must not take the machine from the streams that run. A picture takes 0.15 s of a
 * core (measured); a remux is bound by the disk, for minutes; hardware is tried one after the other; an export goes as fast
 * as its client reads.
 */
export const makeWorkPermits = Effect.sync(() => {
  const gates: Readonly<Record<Work | "probe", Semaphore.Semaphore>> = {
    picture: Semaphore.makeUnsafe(4),
    remux: Semaphore.makeUnsafe(2),
    trial: Semaphore.makeUnsafe(1),
    thumbnail: Semaphore.makeUnsafe(1),
    export: Semaphore.makeUnsafe(4),
    probe: Semaphore.makeUnsafe(2)
  }

  return {
    /** One of its kind more is at work until the scope closes. */
    take: (work: Work) =>
      Effect.acquireRelease(gates[work].take(1), () => gates[work].release(1), { interruptible: true }),

    /** Does it when it is its turn. The limit is the caller's patience: waiting for others counts. */
    limited: <A>(
      effect: Effect.Effect<A, FfmpegFailed>,
      program: string,
      work: Work | "probe",
      limit: Duration.Input
    ) =>
      effect.pipe(
        gates[work].withPermit,
        Effect.timeoutOrElse({
          duration: limit,
          orElse: () => {
            const seconds = Math.round(Duration.toSeconds(Duration.fromInputUnsafe(limit)) * 10) / 10
            return Effect.fail(new FfmpegFailed({ detail: `${program} took longer than ${seconds} s` }))
          }
        })
      )
  }
})
