import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Queue from "effect/Queue"
import * as SubscriptionRef from "effect/SubscriptionRef"
import { PathTable } from "./PathTable.ts"
import type { StreamName } from "./StreamName.ts"

/** Sends away who waits at a path: MediaMTX would hold them for the whole time that a stream may take to start. */
export class Dismissals extends Context.Service<
  Dismissals,
  {
    /** who waits for a stream that does not come has to go; who reads a stream that is there would go too */
    readonly dismiss: (name: StreamName) => Effect.Effect<void>
  }
>()("camera-service/stream/Dismissals") {
  static readonly layer = Layer.effect(
    Dismissals,
    Effect.gen(function* () {
      const { actual, again, alone, desire, desired, replace } = yield* PathTable

      const dismiss = Effect.fn("Dismissals.dismiss")(function* (name: StreamName) {
        yield* Effect.annotateCurrentSpan("stream.name", name)
        const sent = Effect.gen(function* () {
          const before = desired(name)
          if (before === undefined || !SubscriptionRef.getUnsafe(actual).has(name)) return
          const counted = (dismissals: number) => {
            const now = desired(name)
            if (now !== undefined) desire(name, { ...now, dismissals })
          }
          counted(before.dismissals + 1)
          yield* Effect.onError(replace(name), () => Effect.sync(() => counted(before.dismissals)))
        })
        yield* alone(sent).pipe(
          Effect.catch((error) =>
            Effect.andThen(
              // it may have done so all the same
              Queue.offer(again, true),
              Effect.logDebug("who waits at a path could not be sent away", error)
            )
          )
        )
      })

      return Dismissals.of({ dismiss })
    })
  )
}
