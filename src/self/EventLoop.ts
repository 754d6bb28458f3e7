import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { monitorEventLoopDelay } from "node:perf_hooks"

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
/** What is told is of the last one to two of these: each peak is seen by who looks once a minute. */
const period = Duration.seconds(60)

/** How late the event loop comes to its timers, in the last minute or two. */
export class EventLoop extends Context.Service<EventLoop, { readonly delay: () => LoopDelay }>()(
  "camera-service/self/EventLoop"
) {
  static readonly layer = Layer.effect(
    EventLoop,
    Effect.gen(function* () {
      const monitor = yield* Effect.acquireRelease(
        Effect.sync(() => {
          const made = monitorEventLoopDelay({ resolution })
          made.enable()
          return made
        }),
        (made) => Effect.sync(() => made.disable())
      )
      /** it records the time from one look to the next, in nanoseconds; nothing yet: 0 */
      const seconds = (nanos: number): number => Math.max(0, nanos / 1e6 - resolution) / 1000
      const read = (): LoopDelay =>
        monitor.count === 0 ? none : { max: seconds(monitor.max), p99: seconds(monitor.percentile(99)) }
      let before = none
      const turn = Effect.sync(() => {
        before = read()
        monitor.reset()
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
