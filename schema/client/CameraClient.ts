import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as Exit from "effect/Exit"
import * as Latch from "effect/Latch"
import * as Layer from "effect/Layer"
import * as PubSub from "effect/PubSub"
import * as Queue from "effect/Queue"
import * as Random from "effect/Random"
import * as Redacted from "effect/Redacted"
import * as Schedule from "effect/Schedule"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import * as RpcClient from "effect/rpc/RpcClient"
import type { RpcClientError } from "effect/rpc/RpcClientError"
import * as RpcSerialization from "effect/rpc/RpcSerialization"
import * as Socket from "effect/socket/Socket"
import { CameraRpcs } from "../CameraRpcs.ts"
import { type Notification, type NotificationMethod, notifications } from "../Event.ts"
import * as JsonRpcSerialization from "./JsonRpcSerialization.ts"

export interface Options {
  /** `ws://host:8002/ws` */
  readonly url: string
  /** a JWT or an API key; given anew at every connection */
  readonly token: Redacted.Redacted
}

/** A slow subscriber keeps this many notifications; older ones are dropped. */
const notificationBuffer = 1024
const firstRetry = Duration.millis(100)
const lastRetry = Duration.seconds(5)

/**
 * The typed client of the service, for Node and browsers. It connects, authenticates, and does both again, with
 * backoff, when the connection is lost. Calls in flight then fail with `RpcClientError`; calls made in the meantime
 * wait for the new connection (`Effect.timeout` bounds that). A token that is refused shows as `AuthFailed` in calls.
 */
export class CameraClient extends Context.Service<
  CameraClient,
  {
    /** one function for each method, under its wire name; errors are the classes of `schema/Errors.ts` */
    readonly call: RpcClient.FromGroup<typeof CameraRpcs, RpcClientError>
    /** what the server sends unasked, from the moment this is run; over all connections */
    readonly notifications: Stream.Stream<Notification>
  }
>()("camera-service/schema/client/CameraClient") {
  /** A client that lives as long as the scope. */
  static readonly make = Effect.fn("CameraClient.make")(function* ({ token, url }: Options) {
    const pubsub = yield* PubSub.sliding<Notification>(notificationBuffer)
    // open while the connection is up and has been authenticated
    const ready = yield* Latch.make(false)
    const connections = yield* Queue.unbounded<number>()
    let connection = 0
    let failedAttempts = 0

    const hooks = RpcClient.ConnectionHooks.of({
      onConnect: Effect.suspend(() => {
        failedAttempts = 0
        return Queue.offer(connections, ++connection)
      }),
      onDisconnect: Effect.suspend(() => {
        connection++
        return ready.close
      })
    })
    const retryPolicy = Schedule.forever.pipe(
      Schedule.modifyDelay(() =>
        Effect.map(Random.next, (random) => {
          const backoff = Duration.min(Duration.times(firstRetry, 2 ** Math.min(failedAttempts++, 10)), lastRetry)
          return Duration.times(backoff, 0.5 + random / 2)
        })
      )
    )
    const protocol = yield* RpcClient.makeProtocolSocket({ retryTransientErrors: true, retryPolicy }).pipe(
      Effect.provideService(RpcClient.ConnectionHooks, hooks),
      Effect.provideService(
        RpcSerialization.RpcSerialization,
        JsonRpcSerialization.make((method, params) => {
          const notification = readNotification(method, params)
          if (notification !== undefined) PubSub.publishUnsafe(pubsub, notification)
        })
      ),
      Effect.provideServiceEffect(Socket.Socket, Socket.makeWebSocket(url)),
      Effect.provide(Socket.layerWebSocketConstructorGlobal)
    )

    const makeClient = (send: RpcClient.Protocol["Service"]["send"]) =>
      RpcClient.make(CameraRpcs, { disableTracing: true }).pipe(
        Effect.provideService(RpcClient.Protocol, { ...protocol, send })
      )
    const authenticator = yield* makeClient(protocol.send)
    yield* Queue.take(connections).pipe(
      Effect.flatMap((current) =>
        // refused: the calls go out all the same, and their errors say so
        Effect.exit(authenticator.authenticate({ auth_token: Redacted.value(token) })).pipe(
          Effect.andThen(Effect.suspend(() => (current === connection ? ready.open : Effect.void)))
        )
      ),
      Effect.forever,
      Effect.forkScoped
    )
    const call = yield* makeClient((clientId, request, transferables) =>
      request._tag === "Request"
        ? // `send` looks at the connection when it is called: not before it is ready
          Effect.flatMap(ready.await, () => protocol.send(clientId, request, transferables))
        : protocol.send(clientId, request, transferables)
    )
    return CameraClient.of({ call, notifications: Stream.fromPubSub(pubsub) })
  })

  static readonly layer = (options: Options) => Layer.effect(CameraClient, CameraClient.make(options))
}

/** Undefined for what this client does not know, or cannot read: a newer server may say more. */
const readNotification = (method: string, params: unknown): Notification | undefined => {
  if (!Object.hasOwn(readers, method)) return undefined
  const exit = readers[method as NotificationMethod](params)
  return exit._tag === "Success" ? ({ method, params: exit.value } as Notification) : undefined
}

const readers = Object.fromEntries(
  Object.entries(notifications).map(([method, params]) => [
    method,
    Schema.decodeUnknownExit(Schema.toCodecJson(params as Schema.Codec<unknown>))
  ])
) as { readonly [Method in NotificationMethod]: (params: unknown) => Exit.Exit<unknown, Schema.SchemaError> }
