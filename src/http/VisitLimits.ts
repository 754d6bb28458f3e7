import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import type { Session } from "../../schema/Auth.ts"
import { RateLimited } from "../../schema/Errors.ts"
import { SignedUrls } from "../auth/SignedUrls.ts"
import { isLoopback, networkOf } from "../config/Hosts.ts"
import { liveNow, Settings } from "../config/Settings.ts"
import type { HttpReply } from "../ground/Visits.ts"
import { makeRefusals } from "../telemetry/Refusals.ts"
import { type Pace, paced } from "./Pace.ts"
import { failure } from "./Refusal.ts"

/** One user, or one address, has as much of this under way as it may have. */
export class TooManyAtOnce extends Schema.TaggedError<TooManyAtOnce>()("TooManyAtOnce", {
  what: Schema.Literals(["downloads", "exports", "requests for streams"])
}) {}

type UserLimit = `max_${"downloads" | "exports" | "stream_requests"}_per_user`
type AddressLimit = `max_${"downloads" | "stream_requests"}_per_address`

/** A page that shows a file in `<video>` reads on when it has played what it has; it comes back for the rest when it is cut off. */
export const downloadPace: Pace = { patience: 50_000, leastRate: 4096 }
/** An export holds a program beside, of which there are few. */
export const exportPace: Pace = { patience: 30_000, leastRate: 16_384 }

/** What is under way over HTTP, so that one visitor leaves room for others: each holds a file, memory, a program or MediaMTX. */
export class VisitLimits extends Context.Service<
  VisitLimits,
  {
    /** one more download, of whatever kind, until the scope closes */
    readonly admitDownload: (session: Session, address: string) => Effect.Effect<void, TooManyAtOnce, Scope.Scope>
    /** the same of an export, which is a download too */
    readonly admitExport: (session: Session, address: string) => Effect.Effect<void, TooManyAtOnce, Scope.Scope>
    /** one more request for a stream, until the scope closes; of who shows a player's secret alone, that is who */
    readonly admitStream: (who: Session | string, address: string) => Effect.Effect<void, TooManyAtOnce, Scope.Scope>
    /** the reply to a reader that keeps this pace, or is cut off; and `until` this at the latest */
    readonly atPace: (
      reply: HttpReply,
      pace: Pace,
      until: Effect.Effect<unknown>,
      address: string
    ) => Effect.Effect<HttpReply>
  }
>()("camera-service/http/VisitLimits") {
  static readonly layer = Layer.effect(
    VisitLimits,
    Effect.gen(function* () {
      const settings = yield* Settings
      const { holderOf } = yield* SignedUrls
      const refused = yield* makeRefusals
      const counts = new Map<string, number>()

      /** one more of these, until the scope closes */
      const take = (setting: UserLimit | AddressLimit, what: TooManyAtOnce["what"], who: string, peer: string) =>
        Effect.acquireRelease(
          Effect.suspend(() => {
            const most = liveNow(settings).server[setting]
            const key = `${setting} ${who}`
            const count = counts.get(key) ?? 0
            if (count < most)
              return Effect.as(
                Effect.sync(() => counts.set(key, count + 1)),
                key
              )
            refused(`server.${setting}`, who, `${what} are refused: there are too many at once`, {
              peer,
              at_most: most
            })
            return Effect.fail(new TooManyAtOnce({ what }))
          }),
          (key) =>
            Effect.sync(() => {
              const left = (counts.get(key) ?? 0) - 1
              if (left > 0) counts.set(key, left)
              else counts.delete(key)
            })
        )

      const takeAddress = (setting: AddressLimit, what: TooManyAtOnce["what"], address: string) =>
        isLoopback(address) ? Effect.void : Effect.asVoid(take(setting, what, `address ${networkOf(address)}`, address))

      const admitDownload = Effect.fnUntraced(function* (session: Session, address: string) {
        yield* take("max_downloads_per_user", "downloads", holderOf(session), address)
        yield* takeAddress("max_downloads_per_address", "downloads", address)
      })

      return VisitLimits.of({
        admitDownload,
        admitExport: (session, address) =>
          Effect.andThen(
            take("max_exports_per_user", "exports", holderOf(session), address),
            admitDownload(session, address)
          ),
        admitStream: (who, address) => {
          const what = "requests for streams"
          // whoever invents players' secrets is one address still
          return Effect.andThen(
            take("max_stream_requests_per_user", what, typeof who === "string" ? who : holderOf(who), address),
            takeAddress("max_stream_requests_per_address", what, address)
          )
        },
        atPace: Effect.fnUntraced(function* (
          reply: HttpReply,
          pace: Pace,
          until: Effect.Effect<unknown>,
          peer: string
        ) {
          if (!Stream.isStream(reply.body)) return { ...reply, until }
          const { body, tooSlow } = yield* paced(reply.body, pace)
          const told = Effect.sync(() =>
            refused("least rate", peer, "a download is cut off: its reader takes too little of it", { peer })
          )
          return { ...reply, body, until: Effect.raceFirst(until, Effect.andThen(tooSlow, told)) }
        })
      })
    })
  )
}

/** In a second something short has ended. */
export const tooManyAtOnce = ({ what }: TooManyAtOnce) =>
  failure(
    429,
    new RateLimited({ reason: `Too many ${what} at once`, retry_after_ms: 1000, suggestion: "wait for one to end" }),
    { "retry-after": 1 }
  )
