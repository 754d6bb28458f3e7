import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import { CurrentSession, RequiredRole, roleIncludes } from "../../schema/Auth.ts"
import { AuthRpcs, CameraRpcs } from "../../schema/CameraRpcs.ts"
import { InvalidState } from "../../schema/Errors.ts"
import { Credentials } from "../auth/Credentials.ts"
import { FailedLogins } from "../auth/FailedLogins.ts"
import { MediaMtxSessions } from "../auth/MediaMtxSessions.ts"
import { Tokens } from "../auth/Tokens.ts"
import { isoTime } from "../ground/Time.ts"
import { Connections } from "./Connections.ts"

export const layer = AuthRpcs.toLayer(
  Effect.gen(function* () {
    const credentials = yield* Credentials
    const failedLogins = yield* FailedLogins
    const mediaMtxSessions = yield* MediaMtxSessions
    const tokens = yield* Tokens
    const connections = yield* Connections
    const required = [...CameraRpcs.requests.values()].map(
      (rpc) => [rpc._tag, Context.get(rpc.annotations, RequiredRole)] as const
    )
    return AuthRpcs.of({
      ping: () => Effect.succeed("pong" as const),

      authenticate: Effect.fnUntraced(function* ({ auth_token }, { client }) {
        const address = connections.get(client.id)?.address ?? ""
        const login = { address, credential: auth_token, over: "JSON-RPC" } as const
        const session = yield* failedLogins.slowed(login, credentials.verify(auth_token))
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
      }),

      refresh_token: Effect.fnUntraced(function* () {
        const { cameras, credential, role, userId } = yield* CurrentSession
        if (credential.kind !== "token" || credential.lifetime === undefined) {
          return yield* new InvalidState({
            state: credential.kind === "token" ? "a token of another issuer" : "an API key",
            allowed_states: ["a token that this service signed"],
            suggestion: credential.kind === "token" ? "ask its issuer for another" : "a key needs no refreshing"
          })
        }
        const { login } = credential
        const timeToLive = Duration.millis(credential.lifetime)
        const grant = {
          ...{ userId, role, timeToLive },
          ...(cameras === undefined ? {} : { cameras }),
          ...(login === undefined ? {} : { login })
        }
        const auth_token = Redacted.value(yield* tokens.sign(grant))
        const renewed = yield* tokens.verify(auth_token)
        yield* mediaMtxSessions.renewed(renewed)
        return { auth_token, expires_at: isoTime(renewed.expiresAt) }
      })
    })
  })
)
