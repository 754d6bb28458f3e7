import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as FiberMap from "effect/FiberMap"
import type * as Scope from "effect/Scope"
import { monotonicMillis } from "../ground/Time.ts"
import type { StreamName } from "./StreamName.ts"

/** A stream that may live on for nobody. */
export interface Lingerer {
  readonly name: StreamName
  /** who holds it for nobody, until when (monotonic milliseconds); its end may still be under way after that */
  lingering: { until: number } | undefined
}

/** Streams that nobody needs any more live on for a while: who comes back finds them running. */
export const makeLingering = Effect.fnUntraced(function* (
  hold: (name: StreamName) => Effect.Effect<unknown, never, Scope.Scope>
) {
  const keepers = yield* FiberMap.make<StreamName>()

  /**
   * Holds the stream until the latest of the times that were asked for. That it is over is decided in one step: whoever
   * asks after it needs another keeper, however long the stream's own end takes.
   */
  const keep = (stream: Lingerer, mine: { until: number }): Effect.Effect<void> => {
    const over = () => {
      if (stream.lingering === mine) stream.lingering = undefined
    }
    return Effect.gen(function* () {
      yield* hold(stream.name)
      for (;;) {
        const time = yield* monotonicMillis
        if (time >= mine.until) return over()
        yield* Effect.sleep(Duration.millis(mine.until - time))
      }
    }).pipe(
      Effect.onExit(() => Effect.sync(over)),
      Effect.scoped
    )
  }

  return {
    /** has it live on for so long from now, or for as long as it does anyway: while its last lease still holds it */
    linger: Effect.fnUntraced(function* (stream: Lingerer, duration: Duration.Duration) {
      const time = Duration.toMillis(duration)
      if (time === 0) return
      const until = (yield* monotonicMillis) + time
      if (stream.lingering !== undefined) {
        stream.lingering.until = Math.max(until, stream.lingering.until)
        return
      }
      stream.lingering = { until }
      // it takes its reference before the lease that ends gives its own back
      yield* FiberMap.run(keepers, stream.name, keep(stream, stream.lingering), { startImmediately: true })
    }),

    /** has its time be over now */
    end: (stream: Lingerer) =>
      Effect.suspend(() => {
        stream.lingering = undefined
        return FiberMap.remove(keepers, stream.name)
      })
  }
})
