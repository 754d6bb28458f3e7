import * as Context from "effect/Context"
import type * as Deferred from "effect/Deferred"
import * as Schema from "effect/Schema"
import * as RpcMiddleware from "effect/rpc/RpcMiddleware"
import { CameraId, CameraPattern } from "./Camera.ts"
import { AuthFailed, InvalidParams, PermissionDenied } from "./Errors.ts"

/** From least to most: each role may do all that the ones before it may. */
export const roles = ["viewer", "operator", "admin"] as const
export const Role = Schema.Literals(roles)
export type Role = typeof Role.Type

export const roleIncludes = (have: Role, required: Role): boolean => roles.indexOf(have) >= roles.indexOf(required)

/** Who signs tokens. */
export const signers = ["service", "provider"] as const
export type Signer = (typeof signers)[number]

/** What tokens of one signer have to be: of which secret or identity provider, which issuer, for which audience. */
export interface TokenTerms {
  readonly signer: Signer
  /** 8 characters; the same for the same terms, also after a restart */
  readonly id: string
  /** is done when they are others, and with it what tokens opened under these */
  readonly over: Deferred.Deferred<void>
}

/** What a session was opened with. */
export type Credential =
  /**
   * `lifetime`: milliseconds from its issue to its expiry; undefined: this service did not sign it, and cannot renew it.
   * `login`: the same for a token and those that renew it; of those alone that this service signed. `holder`: what stands for the user who had the URL signed that was shown
   */
  | {
      readonly kind: "token"
      readonly lifetime: number | undefined
      readonly terms: TokenTerms
      readonly login?: string
      readonly holder?: string
    }
  /** `by`: the user who made it. `revoked` is done when it is revoked, and with it what it opened */
  | {
      readonly kind: "key" | "viewing key"
      readonly id: string
      readonly by: string
      readonly revoked: Deferred.Deferred<void>
    }

/** Who is asking: what an accepted token or key says, for as long as it is valid. */
export interface Session {
  readonly sessionId: string
  readonly userId: string
  readonly role: Role
  /** the only cameras this user may see, by names and globs; absent: all */
  readonly cameras?: ReadonlyArray<string>
  /** epoch milliseconds */
  readonly expiresAt: number
  readonly credential: Credential
}

/** The session of the request being served; the `Authorization` middleware provides it. */
export class CurrentSession extends Context.Service<CurrentSession, Session>()(
  "camera-service/schema/CurrentSession"
) {}

/** The least role that may call a method; an annotation of its Rpc. `undefined`: anybody, authenticated or not. */
export const RequiredRole = Context.Reference<Role | undefined>("camera-service/schema/RequiredRole", {
  defaultValue: () => "admin"
})

/** Refuses a request without a valid session, or whose role is too low for the method. */
export class Authorization extends RpcMiddleware.Service<Authorization, { provides: CurrentSession }>()(
  "camera-service/schema/Authorization",
  { error: Schema.Union([AuthFailed, PermissionDenied]) }
) {}

/** Refuses a request whose params did not decode; it runs inside `Authorization`, so strangers learn nothing of params. */
export class Validation extends RpcMiddleware.Service<Validation>()("camera-service/schema/Validation", {
  error: InvalidParams
}) {}

export const Authenticated = Schema.Struct({
  authenticated: Schema.Boolean,
  role: Role,
  permissions: Schema.Array(Schema.String).annotate({ description: "the methods this role may call" }),
  expires_at: Schema.String.annotate({ description: "ISO 8601, UTC" }),
  session_id: Schema.String
})
export type Authenticated = typeof Authenticated.Type

export const TokenRefreshed = Schema.Struct({
  auth_token: Schema.String.annotate({ description: "for the next authenticate: same user, role and cameras" }),
  expires_at: Schema.String.annotate({ description: "ISO 8601, UTC" })
})

export const KeyId = Schema.String.check(
  Schema.isPattern(/^[0-9a-f]{12}$/u, { expected: "a key_id: 12 hexadecimal digits" })
)

/** Days that a key lives when nothing else is said. */
export const defaultKeyDays = 365

export const CreateApiKey = {
  role: Role,
  description: Schema.optionalKey(Schema.String.check(Schema.isMaxLength(256, { expected: "256 characters at most" }))),
  expires_in_days: Schema.optionalKey(
    Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 3650 }, { expected: "whole days from 1 to 3650" }))
  ),
  cameras: Schema.optionalKey(
    Schema.Array(CameraPattern).check(
      Schema.isBetweenLength(1, 100, { expected: "1 to 100 camera names or globs, such as camera1*" })
    )
  )
}

export const ApiKey = Schema.Struct({
  key_id: Schema.String,
  kind: Schema.Literals(["api", "viewing"]).annotate({ description: "viewing: opens the streams of its cameras only" }),
  role: Role,
  cameras: Schema.optionalKey(Schema.Array(CameraPattern)).annotateKey({
    description: "the only cameras it may see; absent: all"
  }),
  description: Schema.optionalKey(Schema.String),
  created_at: Schema.String.annotate({ description: "ISO 8601, UTC" }),
  created_by: Schema.String.annotate({ description: "the user who made it" }),
  expires_at: Schema.String.annotate({ description: "ISO 8601, UTC" }),
  last_used: Schema.optionalKey(Schema.String).annotateKey({ description: "ISO 8601, UTC; to a minute or so" }),
  status: Schema.Literals(["ACTIVE", "EXPIRED", "REVOKED"])
}).annotate({ identifier: "ApiKey" })

export const ApiKeyCreated = Schema.Struct({
  ...ApiKey.fields,
  api_key: Schema.String.annotate({ description: "the key itself, shown this once" })
})

export const ApiKeyList = Schema.Struct({
  keys: Schema.Array(ApiKey).annotate({ description: "newest first" }),
  total: Schema.Int
})

/** Seconds that a viewing key lives when nothing else is said. */
export const defaultViewingSeconds = 3600

export const CreateViewingKey = {
  device: CameraId,
  expires_in_seconds: Schema.optionalKey(
    Schema.Int.check(
      Schema.isBetween({ minimum: 60, maximum: 2_592_000 }, { expected: "whole seconds from 60 to 2592000 (30 days)" })
    )
  )
}

export const ViewingKeyCreated = Schema.Struct({
  key_id: Schema.String.annotate({ description: "what revoke_api_key takes" }),
  viewing_key: Schema.String.annotate({ description: "60 characters: as the password, as ?token=, as a Bearer token" }),
  device: CameraId,
  expires_at: Schema.String.annotate({
    description: "ISO 8601, UTC; it ends with the token or key that it was made with, if that comes first"
  }),
  streams: Schema.Struct({ rtsp: Schema.String, hls: Schema.String, webrtc: Schema.String }).annotate({
    description: "the camera's streams, the key in the URL"
  })
})
