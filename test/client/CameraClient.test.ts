import { expect, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Context from "effect/Context"
import * as Redacted from "effect/Redacted"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import { CameraClient } from "../../schema/client/CameraClient.ts"
import type { Role } from "../../schema/Auth.ts"
import type { Camera } from "../../schema/Camera.ts"
import { AuthFailed, InvalidParams, NotFound, PermissionDenied, RateLimited, Unsupported } from "../../schema/Errors.ts"
import { PublicHttp } from "../../src/http/PublicHttp.ts"
import { Connections } from "../../src/rpc/Connections.ts"
import { type Handlers, layerOnSockets, tokenFor } from "../rpc/Harness.ts"

const camera: Camera = {
  device: "camera0",
  status: "CONNECTED",
  name: "test",
  resolution: "640x480",
  fps: 30,
  streams: { rtsp: "", hls: "", webrtc: "" }
}

/** The service, and how to stop it and start it again on the same port. */
const start = Effect.fn(function* (handlers: Handlers, port = 0) {
  const scope = yield* Scope.fork(yield* Effect.scope)
  const context = yield* Layer.buildWithScope(layerOnSockets(handlers, { port }), scope)
  return {
    port: Context.get(context, PublicHttp).address.port,
    connections: Context.get(context, Connections),
    token: (role: Role) => Effect.provideContext(tokenFor(role), context),
    stop: Scope.close(scope, Exit.void)
  }
})

const clientOf = (port: number, token: string) =>
  CameraClient.make({ url: `ws://127.0.0.1:${port}/ws`, token: Redacted.make(token) })

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

it.live("a refused token shows as AuthFailed in the calls", () =>
  Effect.gen(function* () {
    const service = yield* start({})
    const client = yield* clientOf(service.port, "nonsense")
    expect(yield* Effect.flip(client.call.get_camera_list({}))).toBeInstanceOf(AuthFailed)
    expect(yield* client.call.ping({})).toBe("pong")
  })
)

it.live("what the server refuses although the types allow it is an InvalidParams", () =>
  Effect.gen(function* () {
    const service = yield* start({
      take_snapshot: () => Effect.fail(new InvalidParams({ param: "filename", rule: "a new name", hint: "h" }))
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
      get_external_streams: () => Effect.fail(new Unsupported({ feature: "external_streams" }))
    })
    const client = yield* clientOf(service.port, yield* service.token("viewer"))
    const limited = yield* Effect.flip(client.call.get_camera_list({}))
    expect(limited).toBeInstanceOf(RateLimited)
    expect(limited).toMatchObject({ retry_after_ms: 5 })
    expect(yield* Effect.flip(client.call.get_external_streams({}))).toBeInstanceOf(Unsupported)
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
    expect(String(yield* Fiber.join(inFlight))).toContain("RpcClientError")
    const meanwhile = yield* Effect.forkScoped(client.call.get_camera_list({}), { startImmediately: true })
    yield* start({ get_camera_list: () => Effect.succeed({ ...list, total: 2 }) }, first.port)
    expect((yield* Fiber.join(meanwhile)).total).toBe(2)
  })
)
