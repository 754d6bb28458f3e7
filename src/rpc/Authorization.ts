import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { Authorization, CurrentSession, RequiredRole, roleIncludes, type Session } from "../../schema/Auth.ts"
import type { CameraId } from "../../schema/Camera.ts"
import { AuthFailed, NotFound, PermissionDenied } from "../../schema/Errors.ts"
import { inScope } from "../auth/CameraScope.ts"
import { whyOver } from "../auth/Credentials.ts"
import type { FileIndex } from "../storage/FileIndex.ts"
import type { FileKind } from "../storage/Names.ts"
import { makeWarner } from "../telemetry/Warner.ts"
import { Connections } from "./Connections.ts"

/** The one place where a method's required role meets the connection's session. */
export const layer = Layer.effect(
  Authorization,
  Effect.gen(function* () {
    const connections = yield* Connections
    const warn = yield* makeWarner
    const clock = yield* Clock.Clock
    // it is asked when the call is about to run
    return Authorization.of((effect, { client, rpc }) => {
      const connection = connections.get(client.id)
      const session = connection?.session
      if (connection === undefined || session === undefined) return Effect.fail(connection?.refused ?? stranger())
      const over = whyOver(session, clock.currentTimeMillisUnsafe())
      if (over !== undefined) return Effect.fail(new AuthFailed({ reason: over, suggestion: again }))
      const required = Context.get(rpc.annotations, RequiredRole) ?? "viewer"
      if (!roleIncludes(session.role, required)) {
        warn(`${session.userId} ${rpc._tag}`, "a call was forbidden", {
          peer: connection.address,
          user: session.userId,
          method: rpc._tag,
          have_role: session.role,
          required_role: required
        })
        return Effect.fail(new PermissionDenied({ required_role: required, have_role: session.role }))
      }
      return Effect.provideService(effect, CurrentSession, session)
    })
  })
)

const suggestion = "call authenticate with a token or a key, or send it as a Bearer token when connecting"
const stranger = () => new AuthFailed({ reason: "authenticate first", suggestion })
const again = "call authenticate with a new one"

/** Whether this user may see the camera at all. */
export const maySee = (session: Session, camera: CameraId): boolean => inScope(session.cameras, camera)

/** What concerns the whole service may name any camera. */
export const mayKnowAll = ({ cameras, role }: Session): boolean => role === "admin" && cameras === undefined

/** Fails for an admin of some cameras only. */
export const knowsAll: Effect.Effect<void, PermissionDenied, CurrentSession> = Effect.flatMap(
  CurrentSession,
  (session) =>
    mayKnowAll(session)
      ? Effect.void
      : Effect.fail(
          new PermissionDenied({
            required_role: "admin of all cameras",
            have_role: `${session.role} of ${session.cameras?.join(", ") ?? "all cameras"}`
          })
        )
)

/** A camera that the user may not see is not there for them. */
export const visible = (camera: CameraId): Effect.Effect<CameraId, NotFound, CurrentSession> =>
  Effect.flatMap(CurrentSession, (session) =>
    maySee(session, camera) ? Effect.succeed(camera) : Effect.fail(new NotFound({ resource: "camera", id: camera }))
  )

/** A file of such a camera is not there either. */
export const visibleFile = Effect.fnUntraced(function* (index: FileIndex["Service"], kind: FileKind, filename: string) {
  const file = yield* index.get(kind, filename)
  if (file !== undefined && maySee(yield* CurrentSession, file.device)) return file
  return yield* new NotFound({ resource: kind, id: filename })
})
