import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { RateLimited } from "../../schema/Errors.ts"
import { liveNow, Settings } from "../config/Settings.ts"
import { monotonicNow } from "../ground/Time.ts"
import { makeRefusals } from "../telemetry/Refusals.ts"
import { type Connection, whoIs } from "./Connection.ts"
import { TokenBucket } from "./TokenBucket.ts"

/** Users whose requests are counted at once; with more, those that ask little are forgotten first. */
const maxUsers = 10_000

/** How many requests a connection and a user may send a second. */
export class RequestLimits extends Context.Service<
  RequestLimits,
  {
    /** counts one request of this connection; what it is answered where that is one too many */
    readonly take: (connection: Connection) => RateLimited | undefined
  }
>()("camera-service/rpc/RequestLimits") {
  static readonly layer = Layer.effect(
    RequestLimits,
    Effect.gen(function* () {
      const settings = yield* Settings
      const now = yield* monotonicNow
      const refused = yield* makeRefusals
      const users = new Map<string, TokenBucket>()

      const ofUser = (userId: string): TokenBucket => {
        const known = users.get(userId)
        if (known !== undefined) return known
        if (users.size >= maxUsers) makeRoom(users, now(), liveNow(settings).limits.user_requests_per_second)
        const made = new TokenBucket()
        users.set(userId, made)
        return made
      }

      const refuse = (
        { address, session }: Connection,
        whose: "connection" | "user",
        perSecond: number,
        wait: number
      ): RateLimited => {
        refused(`limits.${whose}_requests_per_second`, address, "requests are refused: there are too many", {
          ...whoIs({ address, session }),
          at_most: perSecond
        })
        return new RateLimited({
          retry_after_ms: wait,
          reason: `one ${whose} may send ${perSecond} requests a second`,
          suggestion: "wait for retry_after_ms, then send fewer; notifications tell what changes without being asked"
        })
      }

      return RequestLimits.of({
        take(connection) {
          const { bucket, session } = connection
          const { connection_requests_per_second, user_requests_per_second } = liveNow(settings).limits
          const wait = bucket.take(now, connection_requests_per_second)
          if (wait > 0) return refuse(connection, "connection", connection_requests_per_second, wait)
          if (session === undefined) return undefined
          const userWait = ofUser(session.userId).take(now, user_requests_per_second)
          return userWait > 0 ? refuse(connection, "user", user_requests_per_second, userWait) : undefined
        }
      })
    })
  )
}

/** Forgets the users whose buckets are full again; where all are in use, the one that came first. */
const makeRoom = (users: Map<string, TokenBucket>, now: number, perSecond: number): void => {
  for (const [user, bucket] of users) if (bucket.isFull(now, perSecond)) users.delete(user)
  const [oldest] = users.keys()
  if (users.size >= maxUsers && oldest !== undefined) users.delete(oldest)
}
