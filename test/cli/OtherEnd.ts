import * as Effect from "effect/Effect"
import { type RawData, WebSocketServer } from "ws"
import { temporaryFolder } from "../storage/Workbench.ts"

/** What a call is answered with; a refusal closes nothing. */
type Answer =
  | { readonly result: unknown }
  | { readonly error: { readonly code: number; readonly message: string; readonly data: object } }

const session = {
  ...{ authenticated: true, role: "admin", permissions: [], session_id: "s" },
  expires_at: "2100-01-01T00:00:00.000Z"
}

/** A service for the shell, of this machine, that says what a test has it say. */
export const otherEnd = Effect.fnUntraced(function* (answers: (method: string) => Answer) {
  const calls: Array<string> = []
  const tokens: Array<string> = []
  let refusal: Answer | undefined
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
      calls.push(method)
      if (method === "authenticate") tokens.push(params.auth_token)
      const said = method === "authenticate" ? (refusal ?? { result: session }) : answers(method)
      socket.send(JSON.stringify({ jsonrpc: "2.0", id, ...said }))
    })
  )
  const address = server.address()
  const port = typeof address === "object" && address !== null ? address.port : 0
  const printed: Array<string> = []
  const aside: Array<string> = []
  return {
    calls,
    /** of each login */
    tokens,
    printed,
    aside,
    from: {
      file: undefined,
      environment: {
        CAMERA_SERVICE_DATA_DIR: yield* temporaryFolder,
        CAMERA_SERVICE_SERVER_PORT: String(port),
        CAMERA_SERVICE_AUTH_JWT_SECRET: "s".repeat(32)
      }
    },
    request: {
      ...{ place: { url: undefined, tokenFile: undefined }, isJson: false, width: undefined },
      print: (said: string | Uint8Array) => Effect.sync(() => void printed.push(String(said))),
      tell: (words: string) => Effect.sync(() => void aside.push(words))
    },
    notify: (method: string, params: object) => {
      for (const client of server.clients) client.send(JSON.stringify({ jsonrpc: "2.0", method, params }))
    },
    /** the next login is refused, and who is there has to come again */
    revoke: (reason: string) => {
      refusal = { error: { code: -32001, message: "Authentication Failed", data: { reason } } }
      for (const client of server.clients) client.close(1008, reason)
    }
  }
})
