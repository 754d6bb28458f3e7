import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import { SecureRandom } from "effect/crypto/SecureRandom"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { jwtVerify } from "jose/jwt/verify"
import { decodeProtectedHeader } from "jose/decode/protected_header"
import type { Session } from "../../schema/Auth.ts"
import { AuthFailed } from "../../schema/Errors.ts"
import { liveNow, Settings } from "../config/Settings.ts"
import { Threads } from "../ground/Threads.ts"
import { decodeClaims, expectedClaims, latest, requireKind, tokenRefused } from "./Claims.ts"
import { KeySet } from "./KeySet.ts"
import { Tokens } from "./Tokens.ts"

/** Public keys only: a provider's key that served as the secret of HS256 would be known to everybody. */
const algorithms = ["RS256", "ES256", "EdDSA"]

/** JSON Web Tokens of an identity provider, by the keys that it publishes. */
export class ForeignTokens extends Context.Service<
  ForeignTokens,
  {
    /** whether this token is the provider's to have signed, where there is one */
    readonly isOne: (token: string) => boolean
    /** who this token speaks for; fails when it is not the provider's, is over or lacks a claim, or no keys are to be had */
    readonly verify: (token: string) => Effect.Effect<Session, AuthFailed>
  }
>()("camera-service/auth/ForeignTokens") {
  static readonly layer = Layer.effect(
    ForeignTokens,
    Effect.gen(function* () {
      const settings = yield* Settings
      const { working } = yield* Threads
      const { uuidV4 } = yield* SecureRandom
      const keys = yield* KeySet
      const tokens = yield* Tokens

      const verify = Effect.fn("ForeignTokens.verify")(function* (token: string) {
        const terms = tokens.terms("provider")
        const key = yield* keys.keyFor(headerOf(token) ?? {})
        const now = yield* Clock.currentTimeMillis
        const { auth } = liveNow(settings)
        const skew = Duration.toSeconds(auth.clock_skew_seconds)
        const rules = { algorithms, currentDate: new Date(now), clockTolerance: skew, ...expectedClaims(auth) }
        const { payload, protectedHeader } = yield* Effect.tryPromise({
          try: () => working(jwtVerify(token, key, rules)),
          catch: tokenRefused
        })
        yield* requireKind(protectedHeader)
        const { cameras, exp, role, user_id } = yield* decodeClaims(payload)
        const session: Session = {
          sessionId: yield* uuidV4(),
          userId: user_id,
          role,
          expiresAt: Math.min(exp + skew, latest) * 1000,
          credential: { kind: "token", lifetime: undefined, terms }
        }
        return cameras === undefined ? session : { ...session, cameras }
      })

      return ForeignTokens.of({
        isOne: (token) => keys.isConfigured() && algorithms.includes(headerOf(token)?.alg ?? ""),
        verify
      })
    })
  ).pipe(Layer.provide(KeySet.layer))
}

const headerOf = (token: string) => {
  try {
    return decodeProtectedHeader(token)
  } catch {
    return undefined
  }
}
