import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as SubscriptionRef from "effect/SubscriptionRef"
import { liveNow, Settings } from "../config/Settings.ts"
import { monotonicMillis } from "../ground/Time.ts"
import { MediaMtxApi } from "../process/MediaMtxApi.ts"
import { Dismissals } from "./Dismissals.ts"
import type { LiveStream } from "./LiveStream.ts"
import type { StreamName } from "./StreamName.ts"
import { Streams } from "./Streams.ts"

/** How often MediaMTX is asked who reads, while somebody does. */
const lookEvery = Duration.seconds(1)

/** From our word that a reader may come to MediaMTX's holding it. */
const holdTime = Duration.millis(100)
/** An idle camera's stream has begun by then, and whom MediaMTX held for it reads it. */
const joinTime = Duration.seconds(1)

/** The readers that come straight to MediaMTX (RTSP, HLS, WebRTC): each stream that has some holds one viewer's lease. */
export class Viewers extends Context.Service<
  Viewers,
  {
    /**
     * an authorized reader comes: its stream is started beside, and held until no reader is left; returns at once. Who waits
     * for a camera that is to blame for its failure is sent away.
     */
    readonly admit: (name: StreamName) => Effect.Effect<void>
  }
>()("camera-service/stream/Viewers") {
  static readonly layer = Layer.effect(
    Viewers,
    Effect.gen(function* () {
      const settings = yield* Settings
      const streams = yield* Streams
      const { dismiss: sendAway } = yield* Dismissals
      const api = yield* MediaMtxApi
      const scope = yield* Effect.scope
      /** of streams that have readers, or one on its way; `admittedAt`: monotonic milliseconds at which the last was let in */
      const watched = new Map<StreamName, { admittedAt: number }>()

      /** Readers there are, or undefined: MediaMTX did not say. */
      const readersOf = (name: StreamName) =>
        api.getPath(name).pipe(
          Effect.map((path): number | undefined => (Option.isSome(path) ? path.value.readers : 0)),
          Effect.orElseSucceed(() => undefined),
          // the same each second, for hours: nothing that the trace of a reader's coming is about
          Effect.withTracerEnabled(false)
        )

      /** It is held at MediaMTX, or is about to be: the camera's first keyframe is to be its, too. */
      const join = ({ joining }: LiveStream) => {
        const isThere = Effect.suspend(() => Effect.void)
        return Effect.acquireUseRelease(
          Effect.sync(() => joining.add(isThere)),
          () => Effect.sleep(joinTime),
          () => Effect.sync(() => joining.delete(isThere))
        )
      }

      /** Gives when the last one of them was let in. A reader shows on its path only once it plays. */
      const untilNobodyReads = Effect.fnUntraced(function* (name: StreamName, mine: { readonly admittedAt: number }) {
        for (;;) {
          yield* Effect.sleep(lookEvery)
          const readers = yield* readersOf(name)
          const grace = Duration.toMillis(liveNow(settings).streams.start_timeout_seconds)
          const now = yield* monotonicMillis
          if (readers === 0 && now - mine.admittedAt > grace) return mine.admittedAt
        }
      })

      /**
       * No span of its own: it would end when the last reader has gone, hours later. That it is over is decided in one step:
       * whoever comes after it needs another watch.
       */
      const watch = (name: StreamName, mine: { readonly admittedAt: number }) => {
        const over = () => {
          if (watched.get(name) === mine) watched.delete(name)
        }
        const held = Effect.flatMap(streams.lease(name, "viewer"), (stream) =>
          Effect.andThen(Effect.forkScoped(join(stream)), untilNobodyReads(name, mine))
        )
        return Effect.gen(function* () {
          for (;;) {
            const last = yield* Effect.scoped(held)
            // the lease's end may take its time: who came meanwhile needs another
            if (mine.admittedAt === last) return over()
          }
        }).pipe(
          Effect.onExit(() => Effect.sync(over)),
          Effect.catch((error) => Effect.logDebug("a reader came for a camera that is not there", error))
        )
      }

      const isHopeless = (name: StreamName): boolean => {
        const stream = streams.current(name)
        if (stream === undefined) return false
        const state = SubscriptionRef.getUnsafe(stream.state)
        return state._tag === "Failing" && state.isCamera === true
      }

      const dismiss = (name: StreamName) =>
        Effect.suspend(() => (watched.has(name) && isHopeless(name) ? sendAway(name) : Effect.void))
      /** MediaMTX would hold them for the whole time that a stream may take to start. It has to hold them first. */
      const dismissSoon = (name: StreamName) =>
        Effect.suspend(() =>
          isHopeless(name) ? Effect.forkIn(Effect.delay(dismiss(name), holdTime), scope) : Effect.void
        )
      yield* streams.facts.follow((fact) => (fact._tag === "StreamChanged" ? dismissSoon(fact.name) : Effect.void))

      const admit = (name: StreamName) =>
        Effect.gen(function* () {
          yield* dismissSoon(name)
          const admittedAt = yield* monotonicMillis
          const present = watched.get(name)
          if (present !== undefined) {
            present.admittedAt = admittedAt
            return
          }
          const mine = { admittedAt }
          watched.set(name, mine)
          yield* Effect.forkIn(watch(name, mine), scope)
        })

      return Viewers.of({ admit })
    })
  )
}
