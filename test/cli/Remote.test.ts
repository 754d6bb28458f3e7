import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { decodeJwt } from "jose/jwt/decode"
import { type RawData, WebSocketServer } from "ws"
import { record } from "../../src/cli/Record.ts"
import * as Shell from "../../src/cli/Shell.ts"
import { watch } from "../../src/cli/Watch.ts"
import { StandardFolders } from "../../src/storage/DataFolder.ts"
import { temporaryFolder } from "../storage/Workbench.ts"
import { realGround } from "../support/Ground.ts"

/** Somebody who listens, takes any token, and can do nothing; gives the port, and the roles and the seconds of the tokens that came. */
const listener = Effect.gen(function* () {
  const roles: Array<unknown> = []
  const seconds: Array<number> = []
  const server = yield* Effect.acquireRelease(
    Effect.callback<WebSocketServer>((resume) => {
      const made: WebSocketServer = new WebSocketServer({ host: "127.0.0.1", port: 0 }, () =>
        resume(Effect.succeed(made))
      )
    }),
    (made) =>
      Effect.sync(() => {
        for (const client of made.clients) client.terminate()
        made.close()
      })
  )
  server.on("connection", (socket) =>
    socket.on("message", (data: RawData) => {
      const { id, method, params } = JSON.parse(String(data))
      const session = {
        ...{ authenticated: true, role: "viewer", permissions: [], session_id: "s" },
        expires_at: "2100-01-01T00:00:00.000Z"
      }
      const isLogin = method === "authenticate"
      if (isLogin) {
        const { exp = 0, iat = 0, role } = decodeJwt(params.auth_token)
        roles.push(role)
        seconds.push(exp - iat)
      }
      const said = isLogin
        ? { result: session }
        : {
            error: { code: -32002, message: "Permission Denied", data: { required_role: "admin", have_role: "viewer" } }
          }
      socket.send(JSON.stringify({ jsonrpc: "2.0", id, ...said }))
    })
  )
  const address = server.address()
  return { roles, seconds, port: typeof address === "object" && address !== null ? address.port : 0 }
})

describe("a command of the shell", () => {
  it.live("shows a token that may no more than the command needs", () =>
    Effect.gen(function* () {
      const { port, roles, seconds } = yield* listener
      const environment = {
        CAMERA_SERVICE_DATA_DIR: yield* temporaryFolder,
        CAMERA_SERVICE_SERVER_PORT: String(port),
        CAMERA_SERVICE_AUTH_JWT_SECRET: "s".repeat(32)
      }
      const from = { file: undefined, environment }
      const request = {
        ...{ place: { url: undefined, tokenFile: undefined }, isJson: false, width: undefined },
        print: () => Effect.void,
        tell: () => Effect.void
      }
      for (const command of [
        Shell.cameras(request, from),
        Shell.recordings(request, from),
        watch(request, from),
        Shell.snapshot({ device: "camera0", output: undefined }, request, from),
        record({ device: "camera0", time: "1s" }, request, from)
      ]) {
        assert.include((yield* Effect.flip(command)).message, "This needs the role")
      }
      assert.deepStrictEqual(roles, ["viewer", "viewer", "viewer", "operator", "operator"])
      // the links to recordings end with it
      assert.deepStrictEqual(seconds, [60, 660, 60, 60, 60])
    }).pipe(Effect.scoped, Effect.provideService(StandardFolders, []), Effect.provide(realGround))
  )
})
