import { expect, it } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import { TestClock } from "effect/testing"
import { Certificate } from "../../src/config/Certificate.ts"
import { PublicHttp } from "../../src/http/PublicHttp.ts"
import { Connections } from "../../src/rpc/Connections.ts"
import { type Question, Visitors } from "../../testing/Visitors.ts"
import { Disk } from "../../src/ground/Disk.ts"
import { settingsWith } from "../storage/Workbench.ts"
import { connect, connectAs, layer, port, tokenFor } from "./Harness.ts"
import { listening } from "../support/Log.ts"

const ping = { jsonrpc: "2.0", id: 1, method: "ping" }

/** the status of a refusal */
const refusal = (question: Partial<Question>) =>
  Effect.map(Effect.flip(connect(question)), (refused) => (refused._tag === "Refused" ? refused.status : undefined))

it.effect("programs, our own pages and the origins that the operator names may connect; other pages may not", () =>
  Effect.gen(function* () {
    const own = `http://127.0.0.1:${yield* port}`
    for (const headers of [{}, { origin: own }, { origin: "https://console.example" }]) {
      const client = yield* connect({ headers })
      expect(yield* client.call(ping)).toMatchObject({ result: "pong" })
    }
    for (const origin of ["https://evil.example", "http://127.0.0.1:1", "null", "http://console.example", "nonsense"]) {
      expect(yield* refusal({ headers: { origin } })).toBe(403)
    }
  }).pipe(Effect.provide(layer({}, { allowed_origins: ["https://console.example"] })))
)

it.effect("who may not connect is told why, what to do, and when to come again", () =>
  Effect.gen(function* () {
    const told = (question: Partial<Question>) =>
      Effect.map(Effect.flip(connect(question)), (refused) => {
        if (refused._tag !== "Refused") throw new Error("there is nobody")
        expect(refused.headers["content-type"]).toBe("application/json")
        const { error } = JSON.parse(refused.body) as {
          readonly error: { readonly message: string; readonly data: { readonly suggestion: string } }
        }
        return {
          error: error.message,
          suggestion: error.data.suggestion,
          status: refused.status,
          after: refused.headers["retry-after"]
        }
      })
    const headers = { authorization: `Bearer ${yield* tokenFor("viewer")}` }
    expect(yield* told({ headers: { ...headers, origin: "https://evil.example" } })).toEqual({
      status: 403,
      error: "A page of another origin may not do this",
      suggestion: "have its origin added to server.allowed_origins",
      after: undefined
    })
    expect(yield* told({ target: "/wss" })).toMatchObject({ status: 404, suggestion: expect.stringContaining("/ws") })
    const address = "192.0.2.1"
    yield* connect({ address })
    expect(yield* told({ address })).toMatchObject({
      status: 429,
      suggestion: expect.stringContaining("server.max_unauthenticated_per_address (1)"),
      after: "30"
    })
    for (let n = 0; n < 2; n++) yield* connectAs("viewer", undefined, { address: "192.0.2.2" })
    expect(yield* told({ address: "192.0.2.2", headers })).toMatchObject({
      status: 429,
      suggestion: expect.stringContaining("server.max_connections_per_address (2)"),
      after: "5"
    })
    yield* connect({ headers })
    expect(yield* told({ headers })).toMatchObject({
      status: 503,
      suggestion: expect.stringContaining("server.max_connections (4)"),
      after: "5"
    })
  }).pipe(
    Effect.provide(
      layer({}, { max_unauthenticated_per_address: 1, max_connections_per_address: 2, max_connections: 4 })
    )
  )
)

it.effect("only /ws is a WebSocket", () =>
  Effect.gen(function* () {
    for (const target of ["/wsx", "/", "/ws//", "/files/recordings/"]) expect(yield* refusal({ target })).toBe(404)
    for (const target of ["/ws?from=bookmark", "/ws/", "/ws/?from=bookmark"]) {
      const client = yield* connect({ target })
      expect(yield* client.call(ping)).toMatchObject({ result: "pong" })
    }
  }).pipe(Effect.provide(layer()))
)

const list = { jsonrpc: "2.0", id: 2, method: "get_camera_list" }
const handlers = { get_camera_list: () => Effect.succeed({ cameras: [], total: 0, connected: 0 }) }

it.effect("a token that is shown when connecting authenticates the connection before its first call is read", () =>
  Effect.gen(function* () {
    const token = yield* tokenFor("viewer")
    for (const headers of [{ authorization: `Bearer ${token}` }, { "x-api-key": token }]) {
      const client = yield* connect({ headers })
      client.send(list)
      client.send(ping)
      expect(yield* client.next).toMatchObject({ id: 2, result: { total: 0 } })
      expect(yield* client.next).toMatchObject({ id: 1, result: "pong" })
      expect(Array.from((yield* Connections).all.values()).every(({ session }) => session?.role === "viewer")).toBe(
        true
      )
    }
  }).pipe(Effect.provide(layer(handlers)))
)

it.effect("a token that is of no use is told of by each call, until another one is given", () =>
  Effect.gen(function* () {
    const client = yield* connect({ headers: { authorization: "Bearer nonsense" } })
    expect(yield* client.call(ping)).toMatchObject({ result: "pong" })
    expect(yield* client.call(list)).toMatchObject({
      error: { code: -32001, data: { reason: "the token is not valid" } }
    })
    const params = { auth_token: yield* tokenFor("viewer") }
    yield* client.call({ jsonrpc: "2.0", id: 1, method: "authenticate", params })
    expect(yield* client.call(list)).toMatchObject({ result: { total: 0 } })
  }).pipe(Effect.provide(layer(handlers)))
)

it.effect("one address has so many connections, authenticated or not, and others have theirs", () =>
  Effect.gen(function* () {
    const address = "192.0.2.1"
    const headers = { authorization: `Bearer ${yield* tokenFor("viewer")}` }
    const first = yield* connect({ address, headers })
    yield* connect({ address, headers })
    expect(yield* refusal({ address, headers })).toBe(429)
    yield* connect({ address: "192.0.2.2", headers })
    first.leave(1000)
    yield* first.closed
    yield* connect({ address, headers })
    for (let n = 0; n < 4; n++) yield* connect({ address: "127.0.0.1" })
  }).pipe(Effect.provide(layer({}, { max_connections_per_address: 2 })))
)

it.effect("who is refused stands in the log, with what to set; the same is said once in a while", () => {
  const { layer: logs, lines } = listening()
  return Effect.gen(function* () {
    const origin = "https://evil.example"
    for (let n = 0; n < 3; n++) yield* refusal({ address: "192.0.2.1", headers: { origin } })
    yield* refusal({ address: "192.0.2.2", headers: { origin, authorization: "Bearer secret" } })
    expect(lines).toHaveLength(2)
    expect(lines[0]?.message).toContain("another origin may not")
    expect(lines[0]).toMatchObject({ peer: "192.0.2.1", origin, setting: "server.allowed_origins" })
    yield* TestClock.adjust("10 seconds")
    yield* refusal({ address: "192.0.2.1", headers: { origin } })
    expect(lines[2]).toMatchObject({ times_unsaid_before: 2 })
    yield* connect({ address: "192.0.2.3" })
    yield* refusal({ address: "192.0.2.3" })
    expect(lines[3]).toMatchObject({ setting: "server.max_unauthenticated_per_address" })
    expect(JSON.stringify(lines)).not.toContain("secret")
  }).pipe(Effect.provide(layer({}, { max_unauthenticated_per_address: 1 }).pipe(Layer.provideMerge(logs))))
})

it.effect("when all connections are taken a new one is refused until one ends", () =>
  Effect.gen(function* () {
    const first = yield* connect()
    yield* connect()
    expect(yield* refusal({})).toBe(503)
    first.leave(1000)
    yield* first.closed
    expect(yield* (yield* connect()).call(ping)).toMatchObject({ result: "pong" })
  }).pipe(Effect.provide(layer({}, { max_connections: 2 })))
)

it.effect("a client that reads stays; one that is silent is cut after two periods", () =>
  Effect.gen(function* () {
    const alive = yield* connectAs("viewer")
    const silent = yield* connectAs("viewer")
    silent.vanish()
    for (let period = 0; period < 3; period++) {
      expect((yield* Connections).all.size).toBe(2)
      yield* TestClock.adjust("30 seconds")
      expect(yield* alive.call(ping)).toMatchObject({ result: "pong" })
    }
    expect((yield* Connections).all.size).toBe(1)
  }).pipe(Effect.provide(layer()))
)

it.effect("a client that does not authenticate is closed after 30 seconds; one that has authenticated stays", () =>
  Effect.gen(function* () {
    const stranger = yield* connect()
    yield* TestClock.adjust("20 seconds")
    const late = yield* connect()
    const viewer = yield* connectAs("viewer")
    yield* TestClock.adjust("9 seconds")
    expect(yield* stranger.call(ping)).toMatchObject({ result: "pong" })
    yield* TestClock.adjust("1 second")
    expect(yield* stranger.closed).toBe(1008)
    expect(yield* late.call(ping)).toMatchObject({ result: "pong" })
    yield* TestClock.adjust("30 seconds")
    expect(yield* late.closed).toBe(1008)
    expect(yield* viewer.call(ping)).toMatchObject({ result: "pong" })
    // nor when its token has expired
    yield* TestClock.adjust("1 hour")
    expect(yield* viewer.call(ping)).toMatchObject({ result: "pong" })
  }).pipe(Effect.provide(layer()))
)

it.effect("who does not authenticate keeps nobody out: after 5 seconds it makes room", () =>
  Effect.gen(function* () {
    const stranger = yield* connect()
    const viewer = yield* connectAs("viewer")
    yield* TestClock.adjust("5 seconds")
    const next = yield* connectAs("viewer")
    expect(yield* stranger.closed).toBe(1008)
    for (const client of [viewer, next]) expect(yield* client.call(ping)).toMatchObject({ result: "pong" })
    yield* TestClock.adjust("5 seconds")
    expect(yield* refusal({})).toBe(503)
  }).pipe(Effect.provide(layer({}, { max_connections: 2 })))
)

it.effect("one address has few connections that have not authenticated, and others have theirs", () =>
  Effect.gen(function* () {
    const address = "192.0.2.1"
    const first = yield* connect({ address })
    yield* connect({ address })
    expect(yield* refusal({ address })).toBe(429)
    yield* connect({ address: "192.0.2.2" })
    const params = { auth_token: yield* tokenFor("viewer") }
    yield* first.call({ jsonrpc: "2.0", id: 1, method: "authenticate", params })
    const third = yield* connect({ address })
    expect(yield* refusal({ address })).toBe(429)
    third.leave(1000)
    yield* third.closed
    yield* connect({ address })
    // a /64 is one address, as providers give them out
    yield* connect({ address: "2001:db8::1" })
    yield* connect({ address: "2001:db8::ffff:1" })
    expect(yield* refusal({ address: "2001:db8:0:0:5::" })).toBe(429)
    yield* connect({ address: "2001:db8:0:1::1" })
    // whoever is on this machine may be a proxy, with many clients
    for (const local of ["127.0.0.1", "::1", "::ffff:127.0.0.1"]) {
      for (let n = 0; n < 4; n++) yield* connect({ address: local })
    }
  }).pipe(Effect.provide(layer({}, { max_unauthenticated_per_address: 2 })))
)

it.effect("a client that has not authenticated has one call answered at a time, and may say little", () =>
  Effect.gen(function* () {
    const client = yield* connect()
    // a token takes several turns of the event loop to check
    client.send({ jsonrpc: "2.0", id: "first", method: "authenticate", params: { auth_token: "nonsense" } })
    client.send({ jsonrpc: "2.0", id: "second", method: "ping" })
    expect(yield* client.next).toMatchObject({ id: "first", error: { code: -32001 } })
    expect(yield* client.next).toMatchObject({ id: "second", result: "pong" })
    client.send(`{"jsonrpc":"2.0","id":1,"method":"ping"}${" ".repeat(16 << 10)}`)
    expect(yield* client.closed).toBe(1009)
  }).pipe(Effect.provide(layer()))
)

it.effect("when the service stops every client is told (1001) and the port is free again", () =>
  Effect.gen(function* () {
    const scope = yield* Scope.make()
    const context = yield* Layer.buildWithScope(layer(), scope)
    const client = yield* Effect.provideContext(connect(), context)
    const other = yield* Effect.provideContext(connectAs("viewer"), context)
    yield* Scope.close(scope, Exit.void)
    for (const { closed } of [client, other]) expect(yield* closed).toBe(1001)
    const { ask } = Context.get(context, Visitors)
    const { address } = Context.get(context, PublicHttp)
    expect(yield* Effect.flip(ask(address.port, { target: "/" }))).toMatchObject({ _tag: "NobodyThere" })
  })
)

it.effect("a port that another program has is named in the error", () =>
  Effect.gen(function* () {
    const { address } = yield* PublicHttp
    const again = PublicHttp.layer.pipe(
      Layer.provide(Certificate.layer),
      Layer.provide([settingsWith({ server: { host: "127.0.0.1", port: address.port } }), Layer.mock(Disk)({})]),
      Layer.fresh
    )
    const error = yield* Effect.flip(Effect.scoped(Layer.build(again)))
    expect(error).toMatchObject({ _tag: "PortInUse", host: "127.0.0.1", port: address.port })
  }).pipe(Effect.provide(layer()))
)

it.effect("a plain request goes to whom its path belongs, and is not found otherwise", () =>
  Effect.gen(function* () {
    const { address, handle } = yield* PublicHttp
    const { ask } = yield* Visitors
    const get = (target: string) =>
      Effect.gen(function* () {
        const { body, status } = yield* ask(address.port, { target })
        const text = yield* Stream.mkString(Stream.decodeText(body))
        return `${status} ${text.trim()}`
      })
    const says = (body: string) => () => Effect.succeed({ status: 200, headers: {}, body })
    expect(yield* get("/files/a")).toMatch(/^404 {"error":{"message":"Not Found","data":{"suggestion":".*"}}}$/)
    yield* handle("/", says("console"))
    expect(yield* get("/ws")).toContain('426 {"error":{"message":"A WebSocket is served here"')
    yield* Effect.scoped(
      Effect.gen(function* () {
        yield* handle("/files/", says("files"))
        expect(yield* get("/files/a?b=/x")).toBe("200 files")
        expect(yield* get("/other?/files/")).toBe("200 console")
      })
    )
    // whoever answered there has ended: the service is about to
    expect(yield* get("/files/a")).toContain("503 ")
  }).pipe(Effect.provide(layer()))
)
