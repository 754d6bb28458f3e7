import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import type { Session } from "../../schema/Auth.ts"
import { RateLimited } from "../../schema/Errors.ts"
import { isLoopback, networkOf } from "../config/Hosts.ts"
import { liveNow, Settings } from "../config/Settings.ts"
import { makeRefusals } from "../telemetry/Refusals.ts"
import { failure } from "./Refusal.ts"

/** One user, or one address, has as many downloads as it may have. */
class TooManyDownloads extends Schema.TaggedError<TooManyDownloads>()("TooManyDownloads", {}) {}

/** The downloads under way, of whatever kind: each holds a file, memory and a place to read from the disk. */
export class DownloadLimits extends Context.Service<
  DownloadLimits,
  {
    /** one more, until the scope closes */
    readonly admit: (session: Session, address: string) => Effect.Effect<void, TooManyDownloads, Scope.Scope>
  }
>()("camera-service/http/DownloadLimits") {
  static readonly layer = Layer.effect(
    DownloadLimits,
    Effect.gen(function* () {
      const settings = yield* Settings
      const refused = yield* makeRefusals
      const counts = new Map<string, number>()

      /** one more of these, until the scope closes */
      const take = (who: string, peer: string, whose: "user" | "address") =>
        Effect.acquireRelease(
          Effect.suspend(() => {
            const setting = `server.max_downloads_per_${whose}` as const
            const most = liveNow(settings).server[`max_downloads_per_${whose}`]
            const count = counts.get(who) ?? 0
            if (count < most) return Effect.sync(() => counts.set(who, count + 1))
            refused(setting, who, "downloads are refused: there are too many at once", { peer, at_most: most })
            return Effect.fail(new TooManyDownloads())
          }),
          () =>
            Effect.sync(() => {
              const left = (counts.get(who) ?? 0) - 1
              if (left > 0) counts.set(who, left)
              else counts.delete(who)
            })
        )

      const admit = Effect.fnUntraced(function* ({ credential, userId }: Session, address: string) {
        const network = networkOf(address)
        // who a URL was signed for with a token is not known: one address may use many
        const isAnyone = credential.kind === "token" && credential.lifetime === undefined
        yield* take(isAnyone ? `user ${userId} from ${network}` : `user ${userId}`, address, "user")
        if (!isLoopback(address)) yield* take(`address ${network}`, address, "address")
      })

      return DownloadLimits.of({ admit })
    })
  )
}

/** In a second a short download has ended. */
export const tooManyDownloads = failure(
  429,
  new RateLimited({ reason: "Too many downloads at once", retry_after_ms: 1000, suggestion: "wait for one to end" }),
  { "retry-after": 1 }
)
