import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as FiberMap from "effect/FiberMap"
import * as Layer from "effect/Layer"
import * as Queue from "effect/Queue"
import * as Schedule from "effect/Schedule"
import * as Schema from "effect/Schema"
import * as Semaphore from "effect/Semaphore"
import type { Session } from "../../schema/Auth.ts"
import { liveNow, Settings } from "../config/Settings.ts"
import { monotonicMillis } from "../ground/Time.ts"
import { MediaMtxApi, type Protocol, protocols } from "../process/MediaMtxApi.ts"
import { makeRefusals } from "../telemetry/Refusals.ts"
import { makeTrouble } from "../telemetry/Trouble.ts"
import { untilOver } from "./Credentials.ts"

/** So many may be known before it is looked which are still there; from then on twice as many as were. */
const fewSessions = 256
/** While there are more, it is looked again so often, though nobody else comes: each that has gone holds memory. */
const lookAgainAfter = "5 minutes"
/** So many may live; one user has no more of them than are left for all others, or one could keep everybody out. */
const mostSessions = 10_000
/** A session is there once its stream is, and MediaMTX has made of it what the protocol needs: this long after it, at most. */
const settling = Duration.toMillis("10 seconds")

/** MediaMTX is asked again without end: the schedule never gives up. */
const patience = Schedule.min([Schedule.exponential("200 millis", 2), Schedule.spaced("2 seconds")])

const isProtocol = Schema.is(Schema.Literals(protocols))

/** A user makes many viewing keys: what they open is theirs. */
const ownerOf = ({ credential, userId }: Session): string =>
  credential.kind === "viewing key" ? credential.by : userId

/** What a token has in common with those that renew it. */
const loginOf = ({ credential }: Session): string | undefined =>
  credential.kind === "token" ? credential.login : undefined

/** One that was let in: whose it is, by what, and when, in monotonic milliseconds. */
interface Admitted {
  readonly protocol: Protocol
  readonly userId: string
  readonly session: Session
  readonly at: number
}

/**
 * Which of MediaMTX's sessions a token or a key has opened: they are cut off as soon as it is over, and a token is not while
 * one that renews it is good.
 */
export class MediaMtxSessions extends Context.Service<
  MediaMtxSessions,
  {
    /** a reader is let in, at once; false: it may not be, for there are too many, or its protocol is unknown */
    readonly opened: (protocol: string, id: string, session: Session) => Effect.Effect<boolean>
    /** a token has been renewed, by what opens this session: what that or those before it have opened goes on */
    readonly renewed: (session: Session) => Effect.Effect<void>
  }
>()("camera-service/auth/MediaMtxSessions") {
  static readonly layer = Layer.effect(
    MediaMtxSessions,
    Effect.gen(function* () {
      const settings = yield* Settings
      const api = yield* MediaMtxApi
      const fibers = yield* FiberMap.make<string>()
      const scope = yield* Effect.scope
      const refused = yield* makeRefusals
      const admitted = new Map<string, Admitted>()
      /** how many of them each user has */
      const shares = new Map<string, number>()
      /** those of them that are to be cut off; an RTSP client also asks with its connection's id, which is no session's */
      const over = new Map<string, Admitted>()
      const wake = yield* Queue.sliding<void>(1)
      const crowded = yield* Queue.sliding<void>(1)
      const oneSweep = yield* Semaphore.make(1)
      let many = fewSessions

      const share = (userId: string): number => shares.get(userId) ?? 0
      const forget = (id: string): void => {
        const userId = admitted.get(id)?.userId
        if (userId === undefined) return
        admitted.delete(id)
        if (share(userId) > 1) shares.set(userId, share(userId) - 1)
        else shares.delete(userId)
      }
      const remember = (id: string, one: Admitted): void => {
        forget(id)
        admitted.set(id, one)
        shares.set(one.userId, share(one.userId) + 1)
      }

      const mayStillCome = ({ at }: Admitted) =>
        Effect.map(
          monotonicMillis,
          (now) => now - at <= settling + Duration.toMillis(liveNow(settings).streams.start_timeout_seconds)
        )

      const cutOffWith = Effect.fnUntraced(function* (id: string, one: Admitted) {
        const { protocol, session } = one
        const reason = yield* untilOver(session)
        yield* Effect.logDebug("a reader is cut off").pipe(
          Effect.annotateLogs({ reason, user: session.userId, protocol, session: id })
        )
        over.set(id, one)
        yield* Queue.offer(wake, undefined)
      })
      const admit = Effect.fnUntraced(function* (id: string, one: Admitted) {
        remember(id, one)
        over.delete(id)
        yield* FiberMap.run(fibers, id, cutOffWith(id, one))
      })

      /** Cuts off those that MediaMTX has, and forgets those that it has no more. */
      const cutOff = Effect.fnUntraced(function* (protocol: Protocol) {
        const mine = [...over].filter(([, one]) => one.protocol === protocol)
        if (mine.length === 0) return
        // one that is not there is not asked for: MediaMTX would log each as an error
        const live = new Set(yield* api.listSessions(protocol))
        const settle = Effect.fnUntraced(function* ([id, one]: readonly [string, Admitted]) {
          if (live.has(id)) yield* api.kickSession(protocol, id)
          else if (yield* mayStillCome(one)) return
          if (over.get(id) !== one) return
          over.delete(id)
          forget(id)
        })
        yield* Effect.forEach(mine, settle, { concurrency: 8, discard: true })
      })

      const trouble = makeTrouble()
      const cutOffAll = Effect.forEach(protocols, cutOff, { discard: true }).pipe(
        Effect.tapError((error) => trouble.began("readers whose token or key is over are not cut off yet", error)),
        // one that starts anew has lost its sessions, and says so
        Effect.retry(patience),
        Effect.orDie,
        Effect.tap(trouble.isOver())
      )
      // those that may still come are looked for again; a new one is cut off at once
      const next = Effect.suspend(() =>
        over.size === 0 ? Queue.take(wake) : Effect.timeoutOption(Queue.take(wake), "200 millis")
      )
      yield* Effect.forkScoped(Effect.forever(Effect.andThen(next, cutOffAll)))

      /** Forgets those that ended by themselves, of which MediaMTX tells nobody. */
      const sweep = Effect.gen(function* () {
        const live = new Set((yield* Effect.forEach(protocols, api.listSessions)).flat())
        for (const [id, one] of admitted) {
          if (live.has(id) || over.has(id) || (yield* mayStillCome(one))) continue
          forget(id)
          yield* FiberMap.remove(fibers, id)
        }
        many = Math.max(fewSessions, 2 * admitted.size)
      }).pipe(
        Effect.catch((error) => Effect.logDebug("MediaMTX does not tell who reads", error)),
        oneSweep.withPermitsIfAvailable(1)
      )

      const isCrowded = () => admitted.size > fewSessions
      const lookAgain = Queue.take(crowded).pipe(
        Effect.andThen(Effect.sleep(lookAgainAfter)),
        Effect.andThen(Effect.suspend(() => (isCrowded() ? sweep : Effect.void))),
        Effect.andThen(Effect.suspend(() => (isCrowded() ? Queue.offer(crowded, undefined) : Effect.void)))
      )
      yield* Effect.forkScoped(Effect.forever(lookAgain))

      const opened = Effect.fnUntraced(function* (protocol: string, id: string, session: Session) {
        // nobody could cut it off
        if (!isProtocol(protocol)) return false
        const userId = ownerOf(session)
        if (share(userId) >= mostSessions - admitted.size && !admitted.has(id)) {
          yield* Effect.forkIn(sweep, scope)
          const readers = { user: userId, readers: share(userId), of_all: admitted.size, at_most: mostSessions }
          refused("readers", userId, "readers are refused: one user has as many as are left for all others", readers)
          return false
        }
        yield* admit(id, { protocol, userId, session, at: yield* monotonicMillis })
        if (isCrowded()) yield* Queue.offer(crowded, undefined)
        if (admitted.size > many) yield* Effect.forkIn(sweep, scope)
        return true
      })

      const renewed = Effect.fnUntraced(function* (session: Session) {
        const login = loginOf(session)
        if (login === undefined) return
        const owner = ownerOf(session)
        for (const [id, one] of [...admitted]) {
          // whoever signs tokens beside us may give one login to several users
          const isSame = loginOf(one.session) === login && one.userId === owner
          const isOlder = isSame && one.session.expiresAt < session.expiresAt
          if (isOlder && admitted.get(id) === one && !over.has(id)) yield* admit(id, { ...one, session })
        }
      })

      return MediaMtxSessions.of({ opened, renewed })
    })
  )
}
