import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as PubSub from "effect/PubSub"
import * as Stream from "effect/Stream"
import type { Camera } from "../../../schema/Camera.ts"
import type { CameraClient } from "../../../schema/client/CameraClient.ts"
import type { Notification } from "../../../schema/Event.ts"
import type { RecordingStatusUpdate } from "../../../schema/Recording.ts"

/** What was told, and when it came: epoch milliseconds. */
export interface Told<A> {
  readonly update: A
  readonly at: number
}

/** The first of its kind that was not taken yet, or the next to come; dies with all that came instead. */
type Next<A> = (wanted: (update: A) => boolean, within?: Duration.Input) => Effect.Effect<Told<A>>

/** What a client was told, each to be taken once. */
export interface Updates {
  readonly camera: Next<Camera>
  readonly recording: Next<RecordingStatusUpdate>
  /** forgets what nobody took */
  readonly clear: () => void
}

/** Follows a client's notifications for as long as the scope lives. */
export const follow = Effect.fnUntraced(function* (client: CameraClient["Service"], patience: Duration.Input) {
  const waiting: Array<Told<Notification>> = []
  const came = yield* PubSub.unbounded<void>()
  yield* Effect.forkScoped(
    Stream.runForEach(client.notifications, (update) =>
      Effect.flatMap(Clock.currentTimeMillis, (at) => {
        waiting.push({ update, at })
        return PubSub.publish(came, undefined)
      })
    ),
    { startImmediately: true }
  )

  const take =
    <A>(pick: (notification: Notification) => A | undefined): Next<A> =>
    (wanted, within = patience) =>
      Effect.gen(function* () {
        const coming = yield* PubSub.subscribe(came)
        for (;;) {
          for (const [index, { at, update: notification }] of waiting.entries()) {
            const update = pick(notification)
            if (update === undefined || !wanted(update)) continue
            waiting.splice(index, 1)
            return { update, at }
          }
          yield* PubSub.take(coming)
        }
      }).pipe(
        Effect.scoped,
        Effect.timeoutOrElse({
          duration: within,
          orElse: () => {
            const instead = waiting.map(({ update }) => JSON.stringify(update)).join("\n")
            const limit = Duration.format(Duration.fromInputUnsafe(within))
            return Effect.die(new Error(`not told within ${limit}: ${wanted}; but:\n${instead}`))
          }
        })
      )

  return {
    camera: take((one) => (one.method === "camera_status_update" ? one.params : undefined)),
    recording: take((one) => (one.method === "recording_status_update" ? one.params : undefined)),
    clear: () => void waiting.splice(0)
  } satisfies Updates as Updates
})
