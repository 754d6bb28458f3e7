import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as SecureRandom from "effect/crypto/SecureRandom"
import type * as Rpc from "effect/rpc/Rpc"
import type * as RpcGroup from "effect/rpc/RpcGroup"
import type { Role } from "../../schema/Auth.ts"
import type { Camera } from "../../schema/Camera.ts"
import { CameraRpcs } from "../../schema/CameraRpcs.ts"
import { Certificate } from "../../src/config/Certificate.ts"
import * as App from "../../src/App.ts"
import { MediaMtxSessions } from "../../src/auth/MediaMtxSessions.ts"
import { Tokens } from "../../src/auth/Tokens.ts"
import type { Boot } from "../../src/config/BootSettings.ts"
import type { Live } from "../../src/config/LiveSettings.ts"
import { Settings } from "../../src/config/Settings.ts"
import { Network } from "../../src/ground/Network.ts"
import { Threads } from "../../src/ground/Threads.ts"
import { PublicHttp } from "../../src/http/PublicHttp.ts"
import * as AuthHandlers from "../../src/rpc/AuthHandlers.ts"
import { Connections } from "../../src/rpc/Connections.ts"
import { Disk } from "../../src/ground/Disk.ts"
import { DataFolder } from "../../src/storage/DataFolder.ts"
import { SmallFiles } from "../../src/storage/SmallFiles.ts"
import * as MemoryNetwork from "../../testing/MemoryNetwork.ts"
import { type Question, Visitors } from "../../testing/Visitors.ts"
import * as RealVisitors from "../support/RealVisitors.ts"
import { testSettings } from "../support/TestSettings.ts"

/** What clients are told of a camera. */
export const camera: Camera = {
  device: "camera0",
  status: "CONNECTED",
  name: "test",
  resolution: "640x480",
  fps: 30,
  streams: { rtsp: "", hls: "", webrtc: "" }
}

/** All methods but those that `AuthHandlers` answers. */
const rest = CameraRpcs.omit("ping", "authenticate", "refresh_token")

type Rpcs = RpcGroup.Rpcs<typeof rest>
type AllHandlers = { readonly [Current in Rpcs as Current["_tag"]]: Rpc.ToHandlerFn<Current, never> }
export type Handlers = Partial<AllHandlers>
type Server = Boot["server"] & Live["server"]
type Limits = Partial<Live["limits"]>

/** Port 0 is none that an operator may set: the system chooses one. */
const settingsOf = ({ port = 0, ...server }: Partial<Server>, limits: Limits) =>
  Layer.sync(Settings, () => {
    const { boot, ...others } = testSettings({
      server,
      limits,
      auth: { jwt_secret: "the secret of a test, 32 bytes at least" }
    })
    return { ...others, boot: { ...boot, server: { ...boot.server, port } } }
  })

/** Answers what a test says, dies for the rest. */
const handlersLayer = (handlers: Handlers) => {
  const all = Object.fromEntries(
    Array.from(rest.requests.keys(), (tag) => [tag, () => Effect.die(`${tag} is not stubbed`)])
  )
  return rest.toLayer({ ...all, ...handlers } as unknown as AllHandlers)
}

/** The secret is in the settings, and there are no keys: no folder is looked into. Nobody watches. */
const nowhere = Layer.mergeAll(
  Layer.mock(Disk)({}),
  Layer.succeed(DataFolder, DataFolder.of({ root: "", recordings: "", snapshots: "", secrets: "" })),
  Layer.mock(SmallFiles)({ read: () => Effect.succeedNone }),
  Layer.mock(MediaMtxSessions)({ renewed: () => Effect.void })
)

/** The app's own way from its network to these handlers, and its logins. */
const service = (handlers: Handlers, server: Partial<Server>, limits: Limits = {}) =>
  App.wire(Layer.merge(handlersLayer(handlers), AuthHandlers.layer)).pipe(
    Layer.provideMerge(Layer.mergeAll(App.logins, Connections.layer, PublicHttp.layer)),
    Layer.provide([Certificate.layer, Threads.layer, SecureRandom.layerWebCrypto]),
    Layer.provide(nowhere),
    Layer.provide(settingsOf(server, limits))
  )

/** On the network in memory. */
export const layer = (handlers: Handlers = {}, server: Partial<Server> = {}, limits: Limits = {}) =>
  service(handlers, server, limits).pipe(Layer.provideMerge(MemoryNetwork.layer))

/** On a free port of this machine. */
export const layerOnSockets = (handlers: Handlers = {}, server: Partial<Server> = {}) =>
  service(handlers, server).pipe(Layer.provideMerge([Network.layer, RealVisitors.layer]))

export const port = Effect.map(PublicHttp, ({ address }) => address.port)

/** A plain client: it knows nothing of Effect or of this service. */
export const connect = Effect.fnUntraced(function* (question: Partial<Question> = {}) {
  const visitors = yield* Visitors
  const visitor = yield* visitors.connect(yield* port, { target: "/ws", ...question })
  const next = Effect.map(visitor.text, (text): unknown => JSON.parse(text))
  const send = (message: unknown) => visitor.send(typeof message === "string" ? message : JSON.stringify(message))
  return {
    ...visitor,
    /** as it is where it is a text, else as JSON */
    send,
    sendFragments: visitor.send,
    /** the next message */
    next,
    call: (message: unknown) =>
      Effect.andThen(
        Effect.sync(() => send(message)),
        next
      ),
    /** the code that the connection is closed with */
    closed: Effect.map(visitor.closed, ({ code }) => code)
  }
})

/** A token for this role, good for an hour; for these cameras, or for all. */
export const tokenFor = Effect.fnUntraced(function* (role: Role, cameras?: ReadonlyArray<string>) {
  const { sign } = yield* Tokens
  const claims = { userId: role, role, ...(cameras === undefined ? {} : { cameras }) }
  return Redacted.value(yield* sign({ ...claims, timeToLive: Duration.hours(1) }))
})

/** A client that holds a role, and may see these cameras, or all. */
export const connectAs = Effect.fnUntraced(function* (
  role: Role,
  cameras?: ReadonlyArray<string>,
  question: Partial<Question> = {}
) {
  const client = yield* connect(question)
  const params = { auth_token: yield* tokenFor(role, cameras) }
  yield* client.call({ jsonrpc: "2.0", id: 0, method: "authenticate", params })
  return client
})
