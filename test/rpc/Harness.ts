import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Queue from "effect/Queue"
import type * as Rpc from "effect/rpc/Rpc"
import type * as RpcGroup from "effect/rpc/RpcGroup"
import { WebSocket } from "ws"
import { Authorization, CurrentSession, RequiredRole, type Role, roleIncludes, roles } from "../../schema/Auth.ts"
import { CameraRpcs } from "../../schema/CameraRpcs.ts"
import { AuthFailed, PermissionDenied } from "../../schema/Errors.ts"
import { type Boot, type Live, Settings } from "../../src/config/Settings.ts"
import { PublicHttp } from "../../src/http/PublicHttp.ts"
import { Connections } from "../../src/rpc/Connections.ts"
import { JsonRpcProtocol } from "../../src/rpc/Protocol.ts"
import * as Validation from "../../src/rpc/Validation.ts"
import { WebSocketServer } from "../../src/rpc/WebSocketServer.ts"
import { testSettings } from "../support/TestSettings.ts"

type Rpcs = RpcGroup.Rpcs<typeof CameraRpcs>
type AllHandlers = { readonly [Current in Rpcs as Current["_tag"]]: Rpc.ToHandlerFn<Current, never> }
export type Handlers = Partial<AllHandlers>
type Server = Boot["server"] & Live["server"]

/** Port 0 is none that an operator may set: the system chooses one. */
const settingsOf = ({ port = 0, ...server }: Partial<Server>) =>
  Layer.sync(Settings, () => {
    const { boot, live } = testSettings({ server })
    return { boot: { ...boot, server: { ...boot.server, port } }, live }
  })

/** Rights as the service means them, without its tokens: what `authenticate` below stored on the connection. */
const authorization = Layer.effect(
  Authorization,
  Effect.gen(function* () {
    const connections = yield* Connections
    return Authorization.of((effect, { client, rpc }) =>
      Effect.gen(function* () {
        const session = connections.get(client.id)?.session
        const required = Context.get(rpc.annotations, RequiredRole) ?? "viewer"
        if (session === undefined || session.expiresAt <= (yield* Clock.currentTimeMillis)) {
          return yield* new AuthFailed({ reason: "authenticate first" })
        }
        if (!roleIncludes(session.role, required)) {
          return yield* new PermissionDenied({ required_role: required, have_role: session.role })
        }
        return yield* Effect.provideService(effect, CurrentSession, session)
      })
    )
  })
)

/** Answers what a test says, dies for the rest; the name of a role is the token that gives it. */
const handlersLayer = (handlers: Handlers) =>
  CameraRpcs.toLayer(
    Effect.gen(function* () {
      const connections = yield* Connections
      const all = Object.fromEntries(
        Array.from(CameraRpcs.requests.keys(), (tag) => [tag, () => Effect.die(`${tag} is not stubbed`)])
      )
      const authenticate: Rpc.ToHandlerFn<Rpc.ExtractTag<Rpcs, "authenticate">, never> = ({ auth_token }, { client }) =>
        Effect.gen(function* () {
          const role = roles.find((role) => role === auth_token)
          const connection = connections.get(client.id)
          if (role === undefined || connection === undefined) return yield* new AuthFailed({ reason: "bad token" })
          const expiresAt = (yield* Clock.currentTimeMillis) + 3_600_000
          connection.session = { sessionId: "s", userId: role, role, expiresAt }
          return { authenticated: true, role, permissions: [], expires_at: "", session_id: "s" }
        })
      const ping = () => Effect.succeed("pong" as const)
      return { ...all, authenticate, ping, ...handlers } as unknown as AllHandlers
    })
  )

/** The real transport and protocol on a free port, with these handlers behind them. */
export const layer = (handlers: Handlers = {}, server: Partial<Server> = {}) =>
  WebSocketServer.layer.pipe(
    Layer.provideMerge(JsonRpcProtocol.layer),
    Layer.provide([handlersLayer(handlers), authorization, Validation.layer]),
    Layer.provideMerge([Connections.layer, PublicHttp.layer]),
    Layer.provide(settingsOf(server))
  )

export const url = Effect.map(PublicHttp, ({ address }) => `ws://127.0.0.1:${address.port}/ws`)

/** A plain client: it knows nothing of Effect or of this service. */
export interface Client {
  readonly socket: WebSocket
  readonly send: (message: unknown) => void
  /** the next text frame */
  readonly text: Effect.Effect<string>
  /** the next message */
  readonly next: Effect.Effect<unknown>
  readonly call: (message: unknown) => Effect.Effect<unknown>
  /** the code that the connection is closed with */
  readonly closed: Effect.Effect<number>
}

export const connect = (options: { readonly origin?: string } = {}) =>
  Effect.flatMap(url, (at) => connectTo(at, options))

export const connectTo = (at: string, options: { readonly origin?: string } = {}) =>
  Effect.gen(function* () {
    const socket = yield* Effect.acquireRelease(
      Effect.callback<WebSocket, Error>((resume) => {
        const socket = new WebSocket(at, options)
        socket.once("open", () => resume(Effect.succeed(socket)))
        socket.once("error", (cause) => resume(Effect.fail(cause)))
      }),
      (socket) => Effect.sync(() => socket.terminate())
    )
    const texts = yield* Queue.unbounded<string>()
    const codes = yield* Queue.unbounded<number>()
    socket.on("message", (data) => Queue.offerUnsafe(texts, String(data)))
    socket.on("close", (code) => Queue.offerUnsafe(codes, code))
    socket.on("error", () => {})
    const text = Queue.take(texts)
    const next = Effect.map(text, (text): unknown => JSON.parse(text))
    const send = (message: unknown) => socket.send(typeof message === "string" ? message : JSON.stringify(message))
    return {
      socket,
      send,
      text,
      next,
      call: (message) =>
        Effect.andThen(
          Effect.sync(() => send(message)),
          next
        ),
      closed: Queue.take(codes)
    } satisfies Client as Client
  })

/** A client that holds a role. */
export const connectAs = (role: Role) =>
  Effect.gen(function* () {
    const client = yield* connect()
    yield* client.call({ jsonrpc: "2.0", id: 0, method: "authenticate", params: { auth_token: role } })
    return client
  })
