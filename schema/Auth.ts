import * as Context from "effect/Context"
import * as Schema from "effect/Schema"
import * as RpcMiddleware from "effect/rpc/RpcMiddleware"
import { CameraId } from "./Camera.ts"
import { AuthFailed, InvalidParams, PermissionDenied } from "./Errors.ts"

/** From least to most: each role may do all that the ones before it may. */
export const roles = ["viewer", "operator", "admin"] as const
export const Role = Schema.Literals(roles)
export type Role = typeof Role.Type

export const roleIncludes = (have: Role, required: Role): boolean => roles.indexOf(have) >= roles.indexOf(required)

/** Who is asking: what an accepted token says, for as long as it is valid. */
export interface Session {
  readonly sessionId: string
  readonly userId: string
  readonly role: Role
  /** the only cameras this user may see; absent: all */
  readonly cameras?: ReadonlyArray<CameraId>
  /** epoch milliseconds */
  readonly expiresAt: number
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
