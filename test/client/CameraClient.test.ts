import { expect, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Context from "effect/Context"
import * as Logger from "effect/Logger"
import * as Option from "effect/Option"
import * as Queue from "effect/Queue"
import * as Redacted from "effect/Redacted"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/testing/TestClock"
import type { AddressInfo } from "node:net"
import { WebSocket as WsClient, WebSocketServer } from "ws"
import { CameraClient, type ConnectionState, type Options } from "../../schema/client/CameraClient.ts"
import type { Role } from "../../schema/Auth.ts"
import { AuthFailed, InvalidParams, NotFound, PermissionDenied, RateLimited, Unsupported } from "../../schema/Errors.ts"
import { Tokens } from "../../src/auth/Tokens.ts"
import { PublicHttp } from "../../src/http/PublicHttp.ts"
import { Connections } from "../../src/rpc/Connections.ts"
import { asTimePasses, step } from "../../testing/PassingTime.ts"
import { camera, type Handlers, layerOnSockets, tokenFor } from "../rpc/Harness.ts"

/** The service, and how to stop it and start it again on the same port. */
const start = Effect.fn(function* (handlers: Handlers, port = 0) {
  const scope = yield* Scope.fork(yield* Effect.scope)
  const context = yield* Layer.buildWithScope(layerOnSockets(handlers, { port }), scope)
  return {
    port: Context.get(context, PublicHttp).address.port,
    connections: Context.get(context, Connections),
    token: (role: Role) => Effect.provideContext(tokenFor(role), context),
    sign: Context.get(context, Tokens).sign,
    stop: Scope.close(scope, Exit.void)
  }
})

const clientOf = (port: number, token: string) =>
  // for hangs alone
  CameraClient.make({ url: `ws://127.0.0.1:${port}/ws`, token: Redacted.make(token), patience: "1 minute" })

it.live("a call gives the typed result", () =>
  Effect.gen(function* () {
    const list = { cameras: [camera], total: 1, connected: 1 }
    const service = yield* start({ get_camera_list: () => Effect.succeed(list) })
    const client = yield* clientOf(service.port, yield* service.token("viewer"))
    expect(yield* client.call.get_camera_list({})).toEqual(list)
    expect(yield* client.call.ping({})).toBe("pong")
  })
)

it.live("an error code comes back as the class it stands for, with its fields", () =>
  Effect.gen(function* () {
    const service = yield* start({
      get_camera_status: ({ device }) => Effect.fail(new NotFound({ resource: "camera", id: device }))
    })
    const client = yield* clientOf(service.port, yield* service.token("viewer"))
    const missing = yield* Effect.flip(client.call.get_camera_status({ device: "camera7" }))
    expect(missing).toBeInstanceOf(NotFound)
    expect(missing).toMatchObject({ resource: "camera", id: "camera7" })
    const denied = yield* Effect.flip(client.call.stop_recording({ device: "camera7" }))
    expect(denied).toBeInstanceOf(PermissionDenied)
    expect(denied).toMatchObject({ required_role: "operator", have_role: "viewer" })
  })
)

it.live("a refused token shows in the calls, and in the state, with the reason that the service gave", () =>
  Effect.gen(function* () {
    const service = yield* start({})
    const client = yield* clientOf(service.port, "nonsense")
    const refused = yield* Effect.flip(client.call.get_camera_list({}))
    expect(refused).toBeInstanceOf(AuthFailed)
    expect(refused.message).toContain("Not authenticated: the token is not valid")
    expect(yield* client.state).toEqual({ _tag: "Lost", error: refused })
    expect(yield* client.call.ping({})).toBe("pong")
  })
)

it.live("what the server refuses although the types allow it is an InvalidParams", () =>
  Effect.gen(function* () {
    const service = yield* start({
      take_snapshot: () =>
        Effect.fail(new InvalidParams({ param: "filename", rule: "a name that ends in .png", hint: "h" }))
    })
    const client = yield* clientOf(service.port, yield* service.token("operator"))
    const refused = yield* Effect.flip(client.call.take_snapshot({ device: "camera0", filename: "a.jpg" }))
    expect(refused).toBeInstanceOf(InvalidParams)
  })
)

it.live("errors that any method may give, and those of features that there are not, are typed too", () =>
  Effect.gen(function* () {
    const service = yield* start({
      get_camera_list: () => Effect.fail(new RateLimited({ retry_after_ms: 5 })),
      add_external_stream: () => Effect.fail(new Unsupported({ feature: "external_streams" }))
    })
    const client = yield* clientOf(service.port, yield* service.token("operator"))
    const limited = yield* Effect.flip(client.call.get_camera_list({}))
    expect(limited).toBeInstanceOf(RateLimited)
    expect(limited).toMatchObject({ retry_after_ms: 5 })
    const adding = client.call.add_external_stream({ stream_url: "rtsp://192.168.1.64/live", stream_name: "Gate" })
    expect(yield* Effect.flip(adding)).toBeInstanceOf(Unsupported)
  })
)

it.live("a defect of the server is a defect here, and names the request for the operator", () =>
  Effect.gen(function* () {
    const service = yield* start({ get_streams: () => Effect.die(new Error("secret")) })
    const client = yield* clientOf(service.port, yield* service.token("viewer"))
    const exit = yield* Effect.exit(client.call.get_streams({}))
    expect(String(exit)).toContain("request_id")
    expect(String(exit)).not.toContain("secret")
    expect(yield* client.call.ping({})).toBe("pong")
  })
)

it.live("notifications come as typed values, those of an unknown kind are passed over", () =>
  Effect.gen(function* () {
    const service = yield* start({})
    const client = yield* clientOf(service.port, yield* service.token("viewer"))
    const seen = yield* client.notifications.pipe(
      // an event's data is of its topic's type
      Stream.map(({ method, params }) =>
        method === "event" && params.topic === "recording.stop" ? params.data.duration : method
      ),
      Stream.take(2),
      Stream.runCollect,
      Effect.forkScoped({ startImmediately: true })
    )
    // the connection is authenticated once a call is answered
    yield* client.call.ping({})
    for (const { peer } of service.connections.all.values()) {
      peer.send('{"jsonrpc":"2.0","method":"of_a_newer_server","params":{}}')
      peer.send('{"jsonrpc":"2.0","method":"camera_status_update","params":{"device":"not readable"}}')
    }
    const { connections } = service
    yield* connections.notify("camera_status_update", camera)
    const data = { device: "camera0", status: "STOPPED", filename: "a.mp4", duration: 1.5 } as const
    const timestamp = "2026-01-01T00:00:00.000Z"
    yield* connections.notify("event", { topic: "recording.stop", device: "camera0", timestamp, data })
    expect(yield* Fiber.join(seen)).toEqual(["camera_status_update", 1.5])
  })
)

it.live("after the server was away it connects and authenticates anew, and calls made meanwhile are answered", () =>
  Effect.gen(function* () {
    const asked = yield* Deferred.make<void>()
    const list = { cameras: [camera], total: 1, connected: 1 }
    const first = yield* start({
      get_camera_list: () => Effect.succeed(list),
      get_streams: () => Effect.andThen(Deferred.succeed(asked, undefined), Effect.never)
    })
    const client = yield* clientOf(first.port, yield* first.token("viewer"))
    expect(yield* client.call.get_camera_list({})).toEqual(list)
    const inFlight = yield* Effect.forkScoped(Effect.exit(client.call.get_streams({})))
    yield* Deferred.await(asked)
    yield* first.stop
    expect(String(yield* Fiber.join(inFlight))).toContain("ConnectionLost")
    const meanwhile = yield* Effect.forkScoped(client.call.get_camera_list({}), { startImmediately: true })
    yield* start({ get_camera_list: () => Effect.succeed({ ...list, total: 2 }) }, first.port)
    expect((yield* Fiber.join(meanwhile)).total).toBe(2)
  })
)

const untilLost = ({ states }: CameraClient["Service"]) =>
  states.pipe(
    Stream.filter(({ _tag }) => _tag === "Lost"),
    Stream.runHead
  )

/** The error of a call, and that the state tells the same one. */
const lossOf = Effect.fnUntraced(function* (options: Partial<Options>) {
  const client = yield* CameraClient.make({
    url: "ws://127.0.0.1:1/ws",
    token: Redacted.make("a"),
    patience: "1 millis",
    ...options
  })
  yield* untilLost(client)
  const error = yield* Effect.flip(client.call.get_camera_list({}))
  expect(yield* client.state).toMatchObject({ _tag: "Lost", error: { message: error.message } })
  expect(error._tag).toBe("ConnectionLost")
  return error.message
})

it.live("a service that is not there is told as such, and where it was looked for", () =>
  Effect.gen(function* () {
    expect(yield* lossOf({ url: "ws://user:secret@127.0.0.1:1/ws?token=secret" })).toBe(
      "No WebSocket can be opened at ws://127.0.0.1:1/ws. Nobody answers there: does the service run, and is this its address?"
    )
  })
)

it.live("a wrong path is told as such", () =>
  Effect.gen(function* () {
    const { port } = yield* start({})
    const message = yield* lossOf({ url: `ws://127.0.0.1:${port}/api` })
    expect(message).toContain("check the path (/ws)")
  })
)

it.live("an origin that is refused is told as what it may be, with the name of the setting", () =>
  Effect.gen(function* () {
    const { port } = yield* start({})
    const openWebSocket = (url: string) => new WsClient(url, { origin: "http://elsewhere.example" })
    const message = yield* lossOf({ url: `ws://127.0.0.1:${port}/ws`, openWebSocket })
    expect(message).toContain("The service is there, and refuses it")
    expect(message).toContain("server.allowed_origins")
  })
)

it.live("a service that takes the connection and says nothing is told as silent", () =>
  Effect.gen(function* () {
    const openWebSocket = () => ({
      readyState: 0,
      addEventListener() {},
      removeEventListener() {},
      close() {},
      send() {}
    })
    const url = "ws://127.0.0.1:1/ws"
    const client = yield* CameraClient.make({ url, token: Redacted.make("a"), patience: "50 millis", openWebSocket })
    const error = yield* Effect.flip(client.call.ping({}))
    expect(error.message).toBe("ws://127.0.0.1:1/ws does not answer.")
    expect(yield* client.state).toEqual({ _tag: "Connecting" })
  })
)

it.live("what can never work fails at once, and is not tried again", () =>
  Effect.gen(function* () {
    const forever = { patience: "1 hour" } as const
    expect(yield* lossOf({ ...forever, url: "camera.local:8002" })).toContain("ws://127.0.0.1:8002/ws")
    const { WebSocket } = globalThis
    yield* Effect.acquireRelease(
      Effect.sync(() => Reflect.deleteProperty(globalThis, "WebSocket")),
      () => Effect.sync(() => Object.assign(globalThis, { WebSocket }))
    )
    expect(yield* lossOf(forever)).toContain("Node 22")
  })
)

const isReady = (state: ConnectionState) => state._tag === "Ready"

it.effect("a token that something gives is renewed before it expires, over the same connection", () =>
  Effect.gen(function* () {
    const service = yield* start({ get_streams: () => Effect.succeed([]) })
    let given = 0
    const token = Effect.suspend(() => {
      given++
      return service.sign({ userId: "a", role: "viewer", timeToLive: Duration.seconds(4) })
    })
    const client = yield* CameraClient.make({ url: `ws://127.0.0.1:${service.port}/ws`, token })
    const sessions = yield* client.states.pipe(
      Stream.filter(isReady),
      Stream.take(2),
      Stream.runCollect,
      Effect.forkScoped({ startImmediately: true })
    )
    yield* client.call.get_streams({})
    yield* TestClock.adjust("3 seconds")
    expect(given).toBe(1)
    yield* TestClock.adjust("500 millis")
    const [first, second] = yield* Fiber.join(sessions)
    expect(second).toMatchObject({ connection: 1, session: { role: "viewer" } })
    expect(second?.session.expires_at).not.toBe(first?.session.expires_at)
    expect(given).toBe(2)
    yield* TestClock.adjust("1 second")
    expect(yield* client.call.get_streams({})).toEqual([])
  })
)

it.live("a service that fails as it looks at the token is told as such", () =>
  Effect.gen(function* () {
    const server = yield* Effect.acquireRelease(
      Effect.sync(() => new WebSocketServer({ host: "127.0.0.1", port: 0 })),
      (open) => Effect.sync(() => open.close())
    )
    server.on("connection", (socket) =>
      socket.on("message", (data) => {
        const { id } = JSON.parse(String(data)) as { readonly id: number }
        socket.send(
          JSON.stringify({ jsonrpc: "2.0", id, error: { code: -32603, message: "Internal Error", data: {} } })
        )
      })
    )
    yield* Effect.callback<void>((resume) => void server.once("listening", () => resume(Effect.void)))
    const { port } = server.address() as AddressInfo
    const client = yield* clientOf(port, "a")
    const refused = yield* Effect.flip(client.call.get_streams({}))
    expect(refused.message).toBe("Not authenticated: the service could not look at the token.")
  })
)

it.live("a token that cannot be had shows in the calls", () =>
  Effect.gen(function* () {
    const service = yield* start({})
    const token = Effect.fail(new Error("the vault is closed"))
    const client = yield* CameraClient.make({ url: `ws://127.0.0.1:${service.port}/ws`, token })
    const refused = yield* Effect.flip(client.call.get_streams({}))
    expect(refused.message).toBe("Not authenticated: no token could be had to authenticate with.")
  }).pipe(Effect.provide(Logger.layer([])))
)

it.live("calls that count for one connection are made again at the next", () =>
  Effect.gen(function* () {
    const asked = yield* Queue.unbounded<string>()
    const handlers = (name: string): Handlers => ({
      get_streams: () => Effect.as(Queue.offer(asked, name), [])
    })
    const first = yield* start(handlers("first"))
    const client = yield* clientOf(first.port, yield* first.token("viewer"))
    expect(yield* client.onEachConnection(client.call.get_streams({}))).toEqual([])
    yield* first.stop
    expect(Option.getOrThrow(yield* untilLost(client))).toMatchObject({ error: { _tag: "ConnectionLost" } })
    yield* start(handlers("second"), first.port)
    expect(yield* Queue.take(asked)).toBe("first")
    expect(yield* Queue.take(asked)).toBe("second")
  })
)

/** Each time that the client asks whether anybody is there, once that is answered. */
const looks = Effect.gen(function* () {
  const answered = yield* Queue.unbounded<void>()
  const { fetch } = globalThis
  yield* Effect.acquireRelease(
    Effect.sync(() =>
      Object.assign(globalThis, {
        fetch: (...args: Parameters<typeof fetch>) =>
          fetch(...args).finally(() => Queue.offerUnsafe(answered, undefined))
      })
    ),
    () => Effect.sync(() => Object.assign(globalThis, { fetch }))
  )
  return answered
})

it.effect("a service that is away is looked for every second, however long that takes, and found", () =>
  Effect.gen(function* () {
    const service = yield* start({})
    const client = yield* clientOf(service.port, yield* service.token("viewer"))
    yield* client.call.ping({})
    const answered = yield* looks
    const lost = yield* Effect.forkScoped(untilLost(client), { startImmediately: true })
    yield* asTimePasses(service.stop)
    yield* Fiber.join(lost)
    // of 20 ms each, and a few more
    const aSecond = Effect.repeat(step, { times: 55 })
    // with backoff alone the pauses grow to 5 s
    for (let second = 0; second < 10; second++) {
      yield* aSecond
      yield* Queue.take(answered)
    }
    const back = yield* client.states.pipe(
      Stream.filter((state) => state._tag === "Ready" && state.connection === 2),
      Stream.runHead,
      Effect.forkScoped({ startImmediately: true })
    )
    yield* start({}, service.port)
    yield* aSecond
    expect(yield* Fiber.join(back)).toMatchObject({ _tag: "Some" })
  })
)
