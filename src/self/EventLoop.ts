import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { createHistogram, performance } from "node:perf_hooks"
import { clearInterval, setInterval } from "node:timers"

/** Seconds. */
export interface LoopDelay {
  /** the most */
  readonly max: number
  /** 99 of 100 were sooner */
  readonly p99: number
}

const none: LoopDelay = { max: 0, p99: 0 }

/** How often it is looked whether the loop is late, in milliseconds: each look wakes the process up (40 µs), idle or not. */
const resolution = 200
/**
 * Microseconds, to two figures: 20 kB. Node's own monitor (perf_hooks, monitorEventLoopDelay) has nanoseconds to three of them
 * and takes 369 kB.
 */
const range = { lowest: 1, highest: 100_000_000, figures: 2 }
/** What is told is of the last one to two of these: each peak is seen by who looks once a minute. */
const period = Duration.seconds(60)

/** Milliseconds; what depends on us has noticed by then: FFmpeg waits for our reading, MediaMTX for our answers. */
const standstill = 5000

/** How late the event loop comes to its timers, in the last minute or two. */
export class EventLoop extends Context.Service<EventLoop, { readonly delay: () => LoopDelay }>()(
  "camera-service/self/EventLoop"
) {
  static readonly layer = Layer.effect(
    EventLoop,
    Effect.gen(function* () {
      const late = createHistogram(range)
      const run = Effect.runForkWith(yield* Effect.context<never>())
      const tellStandstill = (millis: number) =>
        Effect.logWarning(
          "the service stood still: it was stopped (SIGSTOP), or waited for the processor or for the disk"
        ).pipe(Effect.annotateLogs({ seconds: Math.round(millis / 1000) }))
      let last = performance.now()
      const look = (): void => {
        const now = performance.now()
        const millis = now - last - resolution
        if (millis >= standstill) run(tellStandstill(millis))
        const micros = Math.round(millis * 1000)
        late.record(Math.min(range.highest, Math.max(range.lowest, micros)))
        last = now
      }
      yield* Effect.acquireRelease(
        Effect.sync(() => setInterval(look, resolution).unref()),
        (timer) => Effect.sync(() => clearInterval(timer))
      )
      const seconds = (micros: number): number => micros / 1e6
      const read = (): LoopDelay =>
        late.count === 0 ? none : { max: seconds(late.max), p99: seconds(late.percentile(99)) }
      let before = none
      const turn = Effect.sync(() => {
        before = read()
        late.reset()
      })
      yield* Effect.forkScoped(Effect.forever(Effect.delay(turn, period)))
      return EventLoop.of({
        delay: () => {
          const now = read()
          return { max: Math.max(before.max, now.max), p99: Math.max(before.p99, now.p99) }
        }
      })
    })
  )
}
