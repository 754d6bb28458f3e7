import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import { SecureRandom } from "effect/crypto/SecureRandom"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import type { Session, TokenTerms } from "../../schema/Auth.ts"
import type { CameraId } from "../../schema/Camera.ts"
import { AuthFailed } from "../../schema/Errors.ts"
import { hmacSha256 } from "../ground/Hmac.ts"
import { sameSecret } from "../ground/SameSecret.ts"
import { ApiKeys } from "./ApiKeys.ts"
import { inScope } from "./CameraScope.ts"
import { Tokens } from "./Tokens.ts"

/**
 * How a signature is written: until when it opens something, until when the credential lasts that it was made with (both in
 * seconds since 1970, to the base of 36), the camera, the key's id (of a token: `u`, of an identity provider's `p`, and what
 * stands for its user), and 132 bits of the HMAC.
 */
const form =
  /^(([0-9a-z]{1,11})\.([0-9a-z]{1,11})\.(camera[0-9]+)\.(?:([0-9a-f]{12})|([pu])([A-Za-z0-9_-]{8})))\.([A-Za-z0-9_-]{22})$/

/** The key that it was made with, by its id, or what holds of the token. */
type Maker = string | TokenTerms

const letters = { service: "u", provider: "p" } as const

/** What a signature opens, and nothing else: one file, the stream of its camera, or what was recorded of it in a time. */
export type Use = "stream" | `${"recording" | "snapshot"}/${string}` | `export/${number}-${number}`

/**
 * Signatures in URLs for `<img>`, `<video>`, players and links, which send no headers. Nothing is kept of them: each tells
 * what it opens, and ends with the credential that it was made with.
 */
export class SignedUrls extends Context.Service<
  SignedUrls,
  {
    /** opens this until then (epoch milliseconds), or until the session's end where that comes first; in microseconds */
    readonly sign: (use: Use, camera: CameraId, session: Session, expiresAt: number) => string
    /**
     * Who opens this with it: a viewer of the one camera, for as long as the credential lasts that it was made with.
     * What was opened by then outlives the signature.
     */
    readonly verify: (use: Use, signature: string) => Effect.Effect<Session, AuthFailed>
    /** who is behind a session: the same for a user, for the URLs that were signed for them, and for their viewing keys */
    readonly holderOf: (session: Session) => string
  }
>()("camera-service/auth/SignedUrls") {
  static readonly layer = Layer.effect(
    SignedUrls,
    Effect.gen(function* () {
      const keys = yield* ApiKeys
      const { uuidV4 } = yield* SecureRandom
      const tokens = yield* Tokens
      const key = Redacted.value(tokens.keyFor("signed URLs"))

      // the last two lines have no line breaks in them: no file's name makes others of them
      const macOf = (use: Use, claims: string, by: Maker): string =>
        hmacSha256(key, `${use}\n${claims}\n${typeof by === "string" ? "" : by.id}`).slice(0, 22)

      /** 48 bits, which tell nobody the name */
      const standIn = (user: string): string => hmacSha256(key, `user\n${user}`).slice(0, 8)

      const holderOf = ({ credential, userId }: Session): string => {
        if (credential.kind === "token") return credential.holder ?? standIn(userId)
        return standIn(credential.kind === "key" ? userId : credential.by)
      }

      const sign = (use: Use, camera: CameraId, session: Session, expiresAt: number): string => {
        const { credential, expiresAt: last } = session
        const by = credential.kind === "token" ? credential.terms : credential.id
        const name = typeof by === "string" ? by : `${letters[by.signer]}${holderOf(session)}`
        const claims = `${write(Math.min(expiresAt, last))}.${write(last)}.${camera}.${name}`
        return `${claims}.${macOf(use, claims, by)}`
      }

      /** who made it, if they still may */
      const sessionOf = (by: Maker, holder: string, last: string): Effect.Effect<Session, AuthFailed> =>
        typeof by === "string"
          ? keys.session(by)
          : Effect.map(uuidV4(), (sessionId) => ({
              sessionId,
              userId: "a signed URL",
              role: "viewer",
              expiresAt: read(last),
              credential: { kind: "token", lifetime: undefined, terms: by, holder }
            }))

      const verify = Effect.fn("SignedUrls.verify")(function* (use: Use, signature: string) {
        const [, claims = "", expires = "", last = "", camera = "", keyId, letter, holder = "", mac = ""] =
          form.exec(signature) ?? []
        // what was signed under other terms than those of now has another signature
        const by = keyId ?? tokens.terms(letter === letters.provider ? "provider" : "service")
        if (!sameSecret(mac, macOf(use, claims, by))) return yield* new AuthFailed({ reason: "the signature is wrong" })
        if (read(expires) <= (yield* Clock.currentTimeMillis)) {
          return yield* new AuthFailed({ reason: "the signed URL has expired" })
        }
        const maker = yield* sessionOf(by, holder, last)
        if (!inScope(maker.cameras, camera)) return yield* new AuthFailed({ reason: "the key may not see the camera" })
        return { ...maker, role: "viewer" as const, cameras: [camera] }
      })

      return SignedUrls.of({ sign, verify, holderOf })
    })
  )
}

/** Whether this is meant to be a signature, and no token or key. */
export const isSignature = (text: string): boolean => form.test(text)

const write = (millis: number): string => Math.floor(millis / 1000).toString(36)
const read = (seconds: string): number => parseInt(seconds, 36) * 1000
