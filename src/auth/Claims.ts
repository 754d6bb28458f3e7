import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { Role } from "../../schema/Auth.ts"
import { CameraPattern } from "../../schema/Camera.ts"
import { AuthFailed } from "../../schema/Errors.ts"
import type { Live } from "../config/LiveSettings.ts"
import { codeOf } from "../ground/DiskError.ts"

/** The last second since 1970 that a date can be made of (ECMA-262, 21.4.1.1): no session may last beyond. */
export const latest = 8.64e12

/** RFC 7519, 2 */
const NumericDate = Schema.Finite.check(Schema.isBetween({ minimum: 0, maximum: latest }))

const Claims = Schema.Struct({
  user_id: Schema.NonEmptyString,
  role: Role,
  iat: NumericDate,
  exp: NumericDate,
  /** what it renews, if anything: the login (OpenID Connect Front-Channel Logout, 3) */
  sid: Schema.optionalKey(Schema.Unknown),
  cameras: Schema.optionalKey(Schema.Array(CameraPattern))
})
type Claims = typeof Claims.Type

const decode = Schema.decodeUnknownEffect(Claims)

/** What a token's `iss` and `aud` have to be, where the configuration says so. */
export const expectedClaims = ({ audience, issuer }: Live["auth"]) => ({
  ...(issuer === "" ? {} : { issuer }),
  ...(audience === "" ? {} : { audience })
})

/** What JWTs are for that let somebody in (`typ`; RFC 7519, 5.1; RFC 9068, 2.1): one that is for something else is no token. */
const kinds: ReadonlySet<unknown> = new Set(["jwt", "at+jwt"])

/** One that says nothing of it is taken (RFC 8725, 3.11). */
export const requireKind = ({ typ }: { readonly typ?: unknown }): Effect.Effect<void, AuthFailed> => {
  const kind = typeof typ === "string" ? typ.toLowerCase().replace(/^application\//, "") : typ
  return kind === undefined || kinds.has(kind)
    ? Effect.void
    : Effect.fail(new AuthFailed({ reason: "the token is for something else: its typ is neither JWT nor at+jwt" }))
}

/** What a token says, once its signature is known to be right. */
export const decodeClaims = (payload: unknown): Effect.Effect<Claims, AuthFailed> =>
  Effect.mapError(
    decode(payload),
    () => new AuthFailed({ reason: "the token lacks a claim that makes sense: user_id, role, iat and exp are needed" })
  )

/** What jose found wrong with a token, as far as a client can do something about it. */
export const tokenRefused = (cause: unknown): AuthFailed => {
  const claim = typeof cause === "object" && cause !== null && "claim" in cause ? String(cause.claim) : ""
  return new AuthFailed({ reason: claims[claim] ?? codes[codeOf(cause)] ?? "the token is not valid" })
}

/** By the name of the claim that does not hold. */
const claims: Readonly<Record<string, string>> = {
  iss: "the token is of another issuer",
  aud: "the token is for another audience",
  nbf: "the token is not valid yet",
  exp: "the token has expired"
}

/** By jose's error codes (https://github.com/panva/jose, errors). */
const codes: Readonly<Record<string, string>> = {
  ERR_JWT_EXPIRED: "the token has expired",
  ERR_JWS_SIGNATURE_VERIFICATION_FAILED: "the token's signature is wrong",
  ERR_JOSE_ALG_NOT_ALLOWED: "the token's algorithm is not allowed",
  ERR_JOSE_NOT_SUPPORTED: "the token's algorithm is not allowed",
  ERR_JWKS_NO_MATCHING_KEY: "the token's key is none of its issuer's",
  ERR_JWKS_MULTIPLE_MATCHING_KEYS: "the token does not say which of its issuer's keys it was signed with (kid)"
}
