import { expect, it } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Scope from "effect/Scope"
import { TestClock } from "effect/testing"
import { request } from "node:http"
import { PublicHttp } from "../../src/http/PublicHttp.ts"
import { Connections } from "../../src/rpc/Connections.ts"
import { type Client, connect, connectTo, layer, url } from "./Harness.ts"

const ping = { jsonrpc: "2.0", id: 1, method: "ping" }

/** what an attempt to connect ends with */
const refusal = <R>(attempt: Effect.Effect<Client, Error, R>) =>
  Effect.map(Effect.flip(attempt), ({ message }) => message)

it.effect("programs, our own pages and the origins that the operator names may connect; other pages may not", () =>
  Effect.gen(function* () {
    const { port } = new URL(yield* url)
    for (const origin of [undefined, `http://127.0.0.1:${port}`, "https://console.example"]) {
      const client = yield* connect(origin === undefined ? {} : { origin })
      expect(yield* client.call(ping)).toMatchObject({ result: "pong" })
    }
    for (const origin of ["https://evil.example", "http://127.0.0.1:1", "null", "http://console.example", "nonsense"]) {
      expect(yield* refusal(connect({ origin }))).toContain("403")
    }
  }).pipe(Effect.provide(layer({}, { allowed_origins: ["https://console.example"] })))
)

it.effect("only /ws is a WebSocket", () =>
  Effect.gen(function* () {
    const at = yield* url
    expect(yield* refusal(connectTo(`${at}x`))).toContain("404")
    expect(yield* refusal(connectTo(at.replace("/ws", "/")))).toContain("404")
    const client = yield* connectTo(`${at}?from=bookmark`)
    expect(yield* client.call(ping)).toMatchObject({ result: "pong" })
  }).pipe(Effect.provide(layer()))
)

it.effect("when all connections are taken a new one is refused until one ends", () =>
  Effect.gen(function* () {
    const first = yield* connect()
    yield* connect()
    expect(yield* refusal(connect())).toContain("503")
    first.socket.close()
    yield* first.closed
    expect(yield* (yield* connect()).call(ping)).toMatchObject({ result: "pong" })
  }).pipe(Effect.provide(layer({}, { max_connections: 2 })))
)

it.effect("a client that answers pings stays; one that is silent is cut after two periods", () =>
  Effect.gen(function* () {
    const alive = yield* connect()
    const silent = yield* connect()
    const pinged = Effect.callback<void>((resume) => {
      alive.socket.once("ping", () => resume(Effect.void))
    })
    // its pongs stay away: nothing is read, and so nothing answered
    silent.socket.pause()
    const gone = Effect.callback<void>((resume) => {
      silent.socket.once("close", () => resume(Effect.void))
    })
    for (let period = 0; period < 4; period++) {
      const wait = yield* Effect.forkChild(pinged, { startImmediately: true })
      yield* TestClock.adjust("30 seconds")
      yield* wait.pipe((fiber) => Effect.callback<void>((resume) => void fiber.addObserver(() => resume(Effect.void))))
      // the pong came before this
      expect(yield* alive.call(ping)).toMatchObject({ result: "pong" })
    }
    silent.socket.resume()
    yield* gone
    expect((yield* Connections).all.size).toBe(1)
  }).pipe(Effect.provide(layer()))
)

it.live("when the service stops every client is told (1001) and the port is free again", () =>
  Effect.gen(function* () {
    const scope = yield* Scope.make()
    const context = yield* Layer.buildWithScope(layer(), scope)
    const { port } = Context.get(context, PublicHttp).address
    const at = `ws://127.0.0.1:${port}/ws`
    const clients = [yield* connectTo(at), yield* connectTo(at)]
    yield* Scope.close(scope, Exit.void)
    for (const client of clients) expect(yield* client.closed).toBe(1001)
    yield* Effect.scoped(Layer.build(layer({}, { port })))
  })
)

it.effect("a port that another program has is named in the error", () =>
  Effect.gen(function* () {
    const { address } = yield* PublicHttp
    const error = yield* Effect.flip(Effect.scoped(Layer.build(Layer.fresh(layer({}, { port: address.port })))))
    expect(error).toMatchObject({ _tag: "PortInUse", host: "127.0.0.1", port: address.port })
  }).pipe(Effect.provide(layer()))
)

it.effect("a plain request goes to whom its path belongs, and is not found otherwise", () =>
  Effect.gen(function* () {
    const { address, handle } = yield* PublicHttp
    const get = (path: string) =>
      Effect.callback<string>((resume) => {
        request({ host: "127.0.0.1", port: address.port, path, agent: false }, (response) => {
          response.setEncoding("utf8")
          let body = ""
          response.on("data", (chunk: string) => (body += chunk))
          response.on("end", () => resume(Effect.succeed(`${response.statusCode} ${body.trim()}`)))
        }).end()
      })
    expect(yield* get("/files/a")).toBe("404 Not Found")
    expect(yield* get("/ws")).toBe("404 Not Found")
    yield* handle("/", (_, response) => response.end("console"))
    yield* Effect.scoped(
      Effect.gen(function* () {
        yield* handle("/files/", (_, response) => response.end("files"))
        expect(yield* get("/files/a?b=/x")).toBe("200 files")
        expect(yield* get("/other?/files/")).toBe("200 console")
      })
    )
    expect(yield* get("/files/a")).toBe("200 console")
  }).pipe(Effect.provide(layer()))
)
