import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as FiberMap from "effect/FiberMap"
import * as Layer from "effect/Layer"
import * as Schedule from "effect/Schedule"
import * as Schema from "effect/Schema"
import * as Semaphore from "effect/Semaphore"
import type { Session } from "../../schema/Auth.ts"
import { liveNow, Settings } from "../config/Settings.ts"
import { monotonicMillis } from "../ground/Time.ts"
import { MediaMtxApi, type Protocol, protocols } from "../process/MediaMtxApi.ts"
import { untilOver } from "./Credentials.ts"

/** So many may be known before it is looked which are still there; from then on twice as many as were. */
const fewSessions = 256
/** With so many that live nobody else is let in. */
const mostSessions = 10_000
/** A session is there once its stream is, and MediaMTX has made of it what the protocol needs: this long after it, at most. */
const settling = Duration.toMillis("10 seconds")

const isProtocol = Schema.is(Schema.Literals(protocols))

/** One that was let in: when, in monotonic milliseconds. */
interface Admitted {
  readonly protocol: Protocol
  readonly at: number
}

/** Which of MediaMTX's sessions a token or a key has opened: they are cut off as soon as it is over. */
export class MediaMtxSessions extends Context.Service<
  MediaMtxSessions,
  {
    /** a reader is let in, at once; false: it may not be, for there are too many, or its protocol is unknown */
    readonly opened: (protocol: string, id: string, session: Session) => Effect.Effect<boolean>
  }
>()("camera-service/auth/MediaMtxSessions") {
  static readonly layer = Layer.effect(
    MediaMtxSessions,
    Effect.gen(function* () {
      const settings = yield* Settings
      const api = yield* MediaMtxApi
      const fibers = yield* FiberMap.make<string>()
      const scope = yield* Effect.scope
      const admitted = new Map<string, Admitted>()
      const oneSweep = yield* Semaphore.make(1)
      let many = fewSessions

      const mayStillCome = ({ at }: Admitted) =>
        Effect.map(
          monotonicMillis,
          (now) => now - at <= settling + Duration.toMillis(liveNow(settings).streams.start_timeout_seconds)
        )

      /** MediaMTX has it, has it no more, or is about to have it. An RTSP client asks with its connection's id, too. */
      const kick = (id: string, one: Admitted) =>
        api.kickSession(one.protocol, id).pipe(
          Effect.flatMap((kicked) => (kicked ? Effect.succeed(false) : mayStillCome(one))),
          Effect.repeat({ while: (goesOn) => goesOn, schedule: Schedule.spaced("200 millis") }),
          // one that starts anew has lost its sessions, and says so
          Effect.retry({ schedule: Schedule.spaced("500 millis"), times: 120 }),
          Effect.catch((error) => Effect.logError("a reader whose token or key is over could not be cut off", error))
        )

      const cutOffWith = Effect.fnUntraced(function* (session: Session, id: string, one: Admitted) {
        const reason = yield* untilOver(session)
        yield* Effect.logDebug("a reader is cut off").pipe(
          Effect.annotateLogs({ reason, user: session.userId, protocol: one.protocol, session: id })
        )
        yield* kick(id, one)
        admitted.delete(id)
      })

      /** Forgets those that ended by themselves, of which MediaMTX tells nobody. */
      const sweep = Effect.gen(function* () {
        const live = new Set((yield* Effect.forEach(protocols, api.listSessions)).flat())
        for (const [id, one] of admitted) {
          if (live.has(id) || (yield* mayStillCome(one))) continue
          admitted.delete(id)
          yield* FiberMap.remove(fibers, id)
        }
        many = Math.max(fewSessions, 2 * admitted.size)
      }).pipe(
        Effect.catch((error) => Effect.logDebug("MediaMTX does not tell who reads", error)),
        oneSweep.withPermitsIfAvailable(1)
      )

      const opened = Effect.fnUntraced(function* (protocol: string, id: string, session: Session) {
        // nobody could cut it off
        if (!isProtocol(protocol)) return false
        if (admitted.size >= mostSessions && !admitted.has(id)) {
          yield* Effect.forkIn(sweep, scope)
          yield* Effect.logWarning(`more than ${mostSessions} readers: another one is refused`)
          return false
        }
        const one = { protocol, at: yield* monotonicMillis }
        admitted.set(id, one)
        yield* FiberMap.run(fibers, id, cutOffWith(session, id, one))
        if (admitted.size > many) yield* Effect.forkIn(sweep, scope)
        return true
      })

      return MediaMtxSessions.of({ opened })
    })
  )
}
