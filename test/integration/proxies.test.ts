import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { request } from "node:https"
import { networkInterfaces } from "node:os"
import { WebSocket } from "ws"
import { eventually } from "../support/Eventually.ts"
import { freePorts } from "../support/FreePorts.ts"
import { proxyProgram, publicName, startProxy } from "../support/Proxies.ts"
import { clientOf, startReady } from "../support/Service.ts"
import { whepOffer } from "../support/WhepOffer.ts"

/** An address of this machine that is not its loopback, on which nobody is counted. */
const own = Object.values(networkInterfaces())
  .flatMap((all) => all ?? [])
  .find(({ family, internal }) => family === "IPv4" && !internal)?.address
const client = own ?? "127.0.0.1"

/** What a client may say to seem to be another. */
const lies = { "x-forwarded-for": "203.0.113.66", "x-forwarded-host": "evil.example", forwarded: "for=203.0.113.66" }

interface Asked {
  readonly method?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string
}

/** A client of the proxy at this port, which trusts it. */
const clientAt = (port: number, ca: string) => {
  const target = { host: client, servername: publicName, ca, agent: false } as const
  const host = `${publicName}:${port}`
  const ask = (path: string, { body, headers, method = "GET" }: Asked = {}) =>
    Effect.callback<
      { readonly status: number; readonly headers: Readonly<Record<string, unknown>>; readonly body: Buffer },
      Error
    >((resume) => {
      const asked = request({ ...target, port, path, method, headers: { host, ...headers } }, (response) => {
        const chunks: Array<Buffer> = []
        response.on("data", (chunk: Buffer) => chunks.push(chunk))
        response.on("end", () => {
          const { headers, statusCode: status = 0 } = response
          resume(Effect.succeed({ status, headers, body: Buffer.concat(chunks) }))
        })
      })
      asked.on("error", (cause) => resume(Effect.fail(cause)))
      asked.end(body)
    })

  /** opens a WebSocket; gives the status where it is refused */
  const open = (headers: Readonly<Record<string, string>>) =>
    Effect.acquireRelease(
      Effect.callback<WebSocket | number, Error>((resume) => {
        const made = new WebSocket(`wss://${client}:${port}/ws`, { ...target, headers: { host, ...headers } })
        made.once("open", () => resume(Effect.succeed(made)))
        made.once("unexpected-response", (_, { statusCode = 0 }) => resume(Effect.succeed(statusCode)))
        made.once("error", (cause) => resume(Effect.fail(cause)))
      }),
      (made) => Effect.sync(() => typeof made !== "number" && made.terminate())
    )

  const call = (socket: WebSocket, method: string, params: object = {}) =>
    Effect.callback<Record<string, unknown>>((resume) => {
      socket.once("message", (data: Buffer) => resume(Effect.succeed(JSON.parse(data.toString()).result)))
      socket.send(JSON.stringify({ jsonrpc: "2.0", id: 1, method, params }))
    })
  return { ask, open, call, origin: `https://${host}` }
}

const bearer = (token: string) => ({ authorization: `Bearer ${token}` })

for (const name of ["nginx", "caddy"] as const) {
  const program = proxyProgram(name)
  it.live.skipIf(program === undefined)(
    `${name}, as the example has it, gives TLS to all that the service's port serves, and says whose it is`,
    () =>
      Effect.gen(function* () {
        const [port = 0] = yield* freePorts(1)
        const settings = { SERVER_TRUSTED_PROXIES: "127.0.0.1", SERVER_MAX_CONNECTIONS_PER_ADDRESS: "2" }
        const service = yield* startReady({ cameras: 1, settings })
        const place = { program: program ?? "", port, server: service.ground.ports.server }
        const { ask, call, open, origin } = clientAt(port, yield* startProxy(name, place))
        const token = yield* service.token({ role: "admin" })

        // JSON-RPC, of a page that the service has sent
        const page = { ...bearer(token), ...lies, origin }
        const socket = yield* open(page)
        if (typeof socket === "number") return assert.fail(`${name} answers ${socket}`)
        const { clients } = yield* call(socket, "get_clients")
        assert.deepInclude((clients as ReadonlyArray<unknown>)[0], { address: client })
        assert.strictEqual(yield* open({ ...page, origin: "https://evil.example" }), 403)

        // a file, by the URL that was told
        const { filename } = yield* call(socket, "take_snapshot", { device: "camera0" })
        const { download_url } = yield* call(socket, "get_download_url", { filename })
        const url = new URL(String(download_url))
        assert.strictEqual(url.origin, origin)
        const part = yield* ask(url.pathname + url.search, { headers: { range: "bytes=0-1" } })
        assert.deepStrictEqual([part.status, part.body.toString("hex")], [206, "ffd8"])

        // streams
        const offer = {
          method: "POST",
          headers: { ...bearer(token), "content-type": "application/sdp" },
          body: whepOffer
        }
        assert.strictEqual((yield* ask("/whep/camera0", offer)).status, 201)
        const index = yield* ask("/hls/camera0/index.m3u8", { headers: bearer(token) })
        assert.deepStrictEqual([index.status, index.body.toString().split("\n")[0]], [200, "#EXTM3U"])

        // who fails, and who has too many connections, is the client and not the proxy
        assert.strictEqual((yield* ask(url.pathname, { headers: { ...bearer("wrong"), ...lies } })).status, 401)
        const told = Effect.sync(() =>
          service
            .stderr()
            .split("\n")
            .find((line) => line.includes("a login failed"))
        )
        const failed = yield* eventually("the failed login is told", told)
        assert.include(failed, `"address":"${client}"`)
        assert.notInclude(service.stderr(), "203.0.113.66")
        if (own === undefined) return
        assert.isObject(yield* open(lies))
        assert.strictEqual(yield* open(lies), 429)
        const here = yield* clientOf(service, { role: "viewer" })
        assert.strictEqual(yield* here.call.ping({}), "pong")
      }).pipe(Effect.scoped),
    120_000
  )
}
