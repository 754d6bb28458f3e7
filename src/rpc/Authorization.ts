import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { Authorization, CurrentSession, RequiredRole, roleIncludes, type Session } from "../../schema/Auth.ts"
import type { CameraId } from "../../schema/Camera.ts"
import { AuthFailed, NotFound, PermissionDenied } from "../../schema/Errors.ts"
import { inScope } from "../auth/CameraScope.ts"
import { whyOver } from "../auth/Credentials.ts"
import { Connections } from "./Connections.ts"

/** The one place where a method's required role meets the connection's session. */
export const layer = Layer.effect(
  Authorization,
  Effect.gen(function* () {
    const connections = yield* Connections
    return Authorization.of((effect, { client, rpc }) =>
      Effect.flatMap(Clock.currentTimeMillis, (now) => {
        const session = connections.get(client.id)?.session
        if (session === undefined) {
          return Effect.fail(
            new AuthFailed({ reason: "authenticate first", suggestion: "call authenticate with a token or a key" })
          )
        }
        const reason = whyOver(session, now)
        if (reason !== undefined) return Effect.fail(new AuthFailed({ reason }))
        const required = Context.get(rpc.annotations, RequiredRole) ?? "viewer"
        if (!roleIncludes(session.role, required)) {
          return Effect.fail(new PermissionDenied({ required_role: required, have_role: session.role }))
        }
        return Effect.provideService(effect, CurrentSession, session)
      })
    )
  })
)

/** Whether this user may see the camera at all. */
export const maySee = (session: Session, camera: CameraId): boolean => inScope(session.cameras, camera)

/** A camera that the user may not see is not there for them. */
export const visible = (camera: CameraId): Effect.Effect<CameraId, NotFound, CurrentSession> =>
  Effect.flatMap(CurrentSession, (session) =>
    maySee(session, camera) ? Effect.succeed(camera) : Effect.fail(new NotFound({ resource: "camera", id: camera }))
  )
