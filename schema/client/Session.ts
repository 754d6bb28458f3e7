import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import type { Authenticated } from "../Auth.ts"
import { AuthFailed, type ServiceError } from "../Errors.ts"
import type { ConnectionLost } from "./ConnectionLost.ts"

/** A JWT or an API key; or what gives the next one, at every connection and before the one that it gave has expired. */
export type Token = Redacted.Redacted | Effect.Effect<Redacted.Redacted, unknown>

/** A new token is asked for when this much of the time of the last one is over. */
const usedUp = 0.8
/** After a refusal, and where the clock here says that an accepted token has expired. */
const secondTry = Duration.minutes(1)
/** No timer of a browser's or Node's is longer than 24 days. */
const longestPause = Duration.days(1)

/**
 * Authenticates a connection, and again before the token expires where there is a next one. Ends when there is nothing
 * more to do for this connection.
 */
export const holdSession = Effect.fnUntraced(function* (
  token: Token,
  authenticate: (token: string) => Effect.Effect<Authenticated, ServiceError | ConnectionLost>,
  tell: (outcome: Authenticated | AuthFailed) => Effect.Effect<void>
) {
  let validUntil = 0
  while (true) {
    const outcome = yield* nextToken(token).pipe(
      Effect.flatMap((next) => authenticate(Redacted.value(next))),
      // the service's own, or what it says cannot be read
      Effect.catchDefect(() => Effect.fail(new AuthFailed({ reason: "the service could not look at the token" }))),
      Effect.result
    )
    const now = yield* Clock.currentTimeMillis
    let pause = secondTry
    let goesOn = Effect.isEffect(token)
    if (outcome._tag === "Success") {
      validUntil = Date.parse(outcome.success.expires_at)
      if (validUntil > now) pause = Duration.min(Duration.millis((validUntil - now) * usedUp), longestPause)
      yield* tell(outcome.success)
    } else {
      const error = outcome.failure
      if (error._tag === "ConnectionLost") return
      if (error._tag === "RateLimited") {
        pause = Duration.millis(error.retry_after_ms)
        goesOn = true
      }
      // what was accepted before is good until it expires
      if (validUntil <= now) yield* tell(asAuthFailed(error))
    }
    if (!goesOn) return
    yield* Effect.sleep(pause)
  }
})

const nextToken = (token: Token): Effect.Effect<Redacted.Redacted, AuthFailed> =>
  Effect.isEffect(token)
    ? Effect.catchCause(token, (cause) =>
        Effect.andThen(
          Effect.logWarning("the next token of a camera client cannot be had", cause),
          Effect.fail(new AuthFailed({ reason: "no token could be had to authenticate with" }))
        )
      )
    : Effect.succeed(token)

const asAuthFailed = (error: ServiceError): AuthFailed =>
  error._tag === "AuthFailed" ? error : new AuthFailed({ reason: error.message })
