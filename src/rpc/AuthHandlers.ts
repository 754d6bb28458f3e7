import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import { RequiredRole, roleIncludes } from "../../schema/Auth.ts"
import { AuthRpcs, CameraRpcs } from "../../schema/CameraRpcs.ts"
import { AuthFailed } from "../../schema/Errors.ts"
import { Tokens } from "../auth/Tokens.ts"
import { Connections } from "./Connections.ts"
import { isoTime } from "./Wire.ts"

/** Tokens longer than this are none of ours. */
const maxTokenLength = 8192

export const layer = AuthRpcs.toLayer(
  Effect.gen(function* () {
    const tokens = yield* Tokens
    const connections = yield* Connections
    const required = [...CameraRpcs.requests.values()].map(
      (rpc) => [rpc._tag, Context.get(rpc.annotations, RequiredRole)] as const
    )
    return AuthRpcs.of({
      ping: () => Effect.succeed("pong" as const),

      authenticate: Effect.fnUntraced(function* ({ auth_token }, { client }) {
        if (auth_token.length > maxTokenLength) return yield* new AuthFailed({ reason: "the token is not valid" })
        const session = yield* tokens.verify(auth_token)
        connections.authenticate(client.id, session)
        return {
          authenticated: true,
          role: session.role,
          permissions: required
            .filter(([, role]) => role === undefined || roleIncludes(session.role, role))
            .map(([method]) => method),
          expires_at: isoTime(session.expiresAt),
          session_id: session.sessionId
        }
      })
    })
  })
)
