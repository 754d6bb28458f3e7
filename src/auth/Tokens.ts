import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import { SecureRandom } from "effect/crypto/SecureRandom"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Base64Url from "effect/encoding/Base64Url"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import { SignJWT } from "jose/jwt/sign"
import { jwtVerify } from "jose/jwt/verify"
import { join } from "node:path"
import type { Role, Session, Signer, TokenTerms } from "../../schema/Auth.ts"
import { AuthFailed } from "../../schema/Errors.ts"
import { leastSecretLength } from "../config/Rules.ts"
import { liveNow, Settings } from "../config/Settings.ts"
import { DataFolderUnusable } from "../config/StartupErrors.ts"
import { hmacSha256 } from "../ground/Hmac.ts"
import { Threads } from "../ground/Threads.ts"
import { DataFolder } from "../storage/DataFolder.ts"
import { SmallFiles } from "../storage/SmallFiles.ts"
import { decodeClaims, expectedClaims, requireKind, tokenRefused } from "./Claims.ts"
import { makeTerms } from "./Terms.ts"

export interface Grant {
  readonly userId: string
  readonly role: Role
  /** the only cameras the user may see, by names and globs; absent: all */
  readonly cameras?: ReadonlyArray<string>
  /** where it renews a token: that one's */
  readonly login?: string
  readonly timeToLive: Duration.Duration
}

/** JSON Web Tokens (RFC 7519), HS256 only: what is not signed with our secret and this algorithm is no token. */
export class Tokens extends Context.Service<
  Tokens,
  {
    /** a token that says this, for so long from now on */
    readonly sign: (grant: Grant) => Effect.Effect<Redacted.Redacted>
    /** who this token speaks for; fails when it is malformed, forged, expired, or lacks a claim */
    readonly verify: (token: string) => Effect.Effect<Session, AuthFailed>
    /** the terms that tokens of this signer count under now */
    readonly terms: (signer: Signer) => TokenTerms
    /** a key of 256 bits for another use of ours, which gives nothing away of the secret that it comes from (RFC 5869, 2.3) */
    readonly keyFor: (use: string) => Redacted.Redacted
  }
>()("camera-service/auth/Tokens") {
  static readonly layer = Layer.effect(
    Tokens,
    Effect.gen(function* () {
      const settings = yield* Settings
      const folder = yield* DataFolder
      const { working } = yield* Threads
      const { uuidV4 } = yield* SecureRandom
      const configured = Redacted.value(settings.boot.auth.jwt_secret)
      const secret = configured === "" ? yield* storedSecret(folder.secrets) : configured
      // no text that a token's signature is made of has a blank in it: neither can stand for the other
      const keyFor = (use: string) => Redacted.make(hmacSha256(secret, `a key for ${use}`))
      const terms = yield* makeTerms(keyFor("terms"))
      // imported once, when it is first needed: given the bytes, jose would import them for every token
      const key = yield* Effect.cached(Effect.promise(() => working(importKey(secret))))

      const sign = Effect.fn("Tokens.sign")(function* (grant: Grant) {
        const now = Math.floor((yield* Clock.currentTimeMillis) / 1000)
        const { audience, issuer } = expectedClaims(liveNow(settings).auth)
        const claims = {
          user_id: grant.userId,
          role: grant.role,
          ...(grant.cameras === undefined ? {} : { cameras: grant.cameras }),
          ...(grant.login === undefined ? {} : { sid: grant.login }),
          ...(issuer === undefined ? {} : { iss: issuer }),
          ...(audience === undefined ? {} : { aud: audience })
        }
        const signingKey = yield* key
        const token = yield* Effect.promise(() =>
          working(
            new SignJWT(claims)
              .setProtectedHeader({ alg: "HS256", typ: "JWT" })
              .setIssuedAt(now)
              .setExpirationTime(now + Math.floor(Duration.toSeconds(grant.timeToLive)))
              .sign(signingKey)
          )
        )
        return Redacted.make(token)
      })

      const verify = Effect.fn("Tokens.verify")(function* (token: string) {
        const credential = { kind: "token", terms: terms("service") } as const
        const now = yield* Clock.currentTimeMillis
        const verifyingKey = yield* key
        const { auth } = liveNow(settings)
        const rules = {
          algorithms: ["HS256"],
          clockTolerance: Duration.toSeconds(auth.clock_skew_seconds),
          currentDate: new Date(now),
          ...expectedClaims(auth)
        }
        const { payload, protectedHeader } = yield* Effect.tryPromise({
          try: () => working(jwtVerify(token, verifyingKey, rules)),
          catch: tokenRefused
        })
        yield* requireKind(protectedHeader)
        const claims = yield* decodeClaims(payload)
        // whoever else has the secret may have a clock that is ahead; a token ends when it says
        if (claims.exp * 1000 <= now) return yield* new AuthFailed({ reason: "the token has expired" })
        return {
          sessionId: yield* uuidV4(),
          userId: claims.user_id,
          role: claims.role,
          expiresAt: claims.exp * 1000,
          credential: {
            ...credential,
            lifetime: (claims.exp - claims.iat) * 1000,
            login: loginIn(claims.sid) ?? token.slice(token.lastIndexOf(".") + 1).slice(0, loginLength)
          },
          ...(claims.cameras === undefined ? {} : { cameras: claims.cameras })
        }
      })

      return Tokens.of({ sign, verify, terms, keyFor })
    })
  )
}

/** So much of a token's signature tells it from all others: 96 bits. */
const loginLength = 16

/** An issuer of another kind may mean something else by it. */
const loginIn = (sid: unknown): string | undefined => (typeof sid === "string" && sid !== "" ? sid : undefined)

const importKey = (secret: string): Promise<CryptoKey> => {
  const algorithm = { name: "HMAC", hash: "SHA-256" }
  return crypto.subtle.importKey("raw", new TextEncoder().encode(secret), algorithm, false, ["sign", "verify"])
}

/** The secret of an earlier start, or a new one of 32 random bytes. */
const storedSecret = Effect.fnUntraced(function* (folder: string) {
  const { randomBytes } = yield* SecureRandom
  const made = Base64Url.encode(yield* randomBytes(32))
  const smallFiles = yield* SmallFiles
  const secret = (yield* smallFiles.writeOnce(join(folder, "jwt_secret"), made)).trim()
  if (secret.length >= leastSecretLength) return secret
  return yield* new DataFolderUnusable({ folder, detail: "jwt_secret is too short: delete it, and a new one is made" })
})
