import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as FiberHandle from "effect/FiberHandle"
import * as Layer from "effect/Layer"
import * as PubSub from "effect/PubSub"
import * as Random from "effect/Random"
import * as Schedule from "effect/Schedule"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as SubscriptionRef from "effect/SubscriptionRef"
import * as RpcClient from "effect/rpc/RpcClient"
import type { RpcClientError } from "effect/rpc/RpcClientError"
import * as RpcSerialization from "effect/rpc/RpcSerialization"
import * as Socket from "effect/socket/Socket"
import type { Authenticated } from "../Auth.ts"
import { CameraRpcs } from "../CameraRpcs.ts"
import { AuthFailed } from "../Errors.ts"
import type { Notification } from "../Event.ts"
import { type Calls, isOpen, makeCalls, unwrap, wrap } from "./Calls.ts"
import { ConnectionLost } from "./ConnectionLost.ts"
import {
  awaitSomebody,
  brokenOff,
  describeLoss,
  dial,
  explainLoss,
  obstacle,
  type OpenWebSocket,
  silence
} from "./Dialing.ts"
import * as JsonRpcSerialization from "./JsonRpcSerialization.ts"
import { readNotification } from "./Notifications.ts"
import { holdSession, type Token } from "./Session.ts"

export interface Options {
  /** `ws://host:8002/ws` */
  readonly url: string
  readonly token: Token
  /** how long a call waits for a connection that is not there: 10 seconds, where nothing is said */
  readonly patience?: Duration.Input
  readonly openWebSocket?: OpenWebSocket
}

export type ConnectionState =
  /** for the first time */
  | { readonly _tag: "Connecting" }
  /** `connection` counts the connections: it tells a new one from a session that was renewed */
  | { readonly _tag: "Ready"; readonly session: Authenticated; readonly connection: number }
  /** the last thing that went wrong; what can be tried again is, with backoff: a connection, and a token where there is a next one */
  | { readonly _tag: "Lost"; readonly error: ConnectionLost | AuthFailed }

/** A slow subscriber keeps this many notifications; older ones are dropped. */
const notificationBuffer = 1024
const firstRetry = Duration.millis(100)
const lastRetry = Duration.seconds(5)

/**
 * The typed client of the service, for Node and browsers. It connects and authenticates, again before its token expires,
 * and anew when the connection is lost: with backoff, and within a second or so of the service being back. A call in flight
 * then fails with `ConnectionLost`; one that is made in the meantime waits for the new connection, and fails so when its
 * patience is over. A token that is refused shows as `AuthFailed` in the calls, with the reason that the service gave.
 */
export class CameraClient extends Context.Service<
  CameraClient,
  {
    /** errors are the classes of `schema/Errors.ts`, and `ConnectionLost` */
    readonly call: Calls
    /** what the server sends unasked, from the moment this is run; over all connections */
    readonly notifications: Stream.Stream<Notification>
    /** how the connection is now */
    readonly state: Effect.Effect<ConnectionState>
    /** how it is now, and each change */
    readonly states: Stream.Stream<ConnectionState>
    /**
     * Makes calls that count for one connection only, such as `subscribe_events`: now, and again at every new connection
     * for as long as the scope lives. A failure at a later one is logged.
     */
    readonly onEachConnection: <A, E>(calls: Effect.Effect<A, E>) => Effect.Effect<A, E, Scope.Scope>
  }
>()("camera-service/schema/client/CameraClient") {
  /** A client that lives as long as the scope. */
  static readonly make = Effect.fn("CameraClient.make")(function* (options: Options) {
    const { openWebSocket, patience = "10 seconds", token, url } = options
    const pubsub = yield* PubSub.sliding<Notification>(notificationBuffer)
    const state = yield* SubscriptionRef.make<ConnectionState>({ _tag: "Connecting" })
    const session = yield* FiberHandle.make()
    let connection = 0
    let isConnected = false
    let failedAttempts = 0

    const lose = (error: ConnectionLost) => SubscriptionRef.set(state, { _tag: "Lost", error })
    const tell = (outcome: Authenticated | AuthFailed) => {
      if (outcome instanceof AuthFailed) return SubscriptionRef.set(state, { _tag: "Lost", error: outcome })
      failedAttempts = 0
      return SubscriptionRef.set(state, { _tag: "Ready", session: outcome, connection })
    }

    const hooks = RpcClient.ConnectionHooks.of({
      onConnect: Effect.suspend(() => {
        connection++
        isConnected = true
        return FiberHandle.run(
          session,
          holdSession(token, (auth_token) => authenticate({ auth_token }), tell)
        )
      }),
      // also run where no connection came about
      onDisconnect: Effect.suspend(() => {
        if (!isConnected) return Effect.void
        isConnected = false
        return Effect.andThen(FiberHandle.clear(session), lose(lossOf(brokenOff(url))))
      })
    })
    const retryPolicy = Schedule.forever.pipe(
      Schedule.setInputType<Socket.SocketError>(),
      Schedule.modifyDelay(({ input }) =>
        Effect.gen(function* () {
          const { isDeserted, message } = yield* explainLoss(url, input.reason)
          yield* lose(lossOf(message))
          const backoff = Duration.min(Duration.times(firstRetry, 2 ** Math.min(failedAttempts++, 10)), lastRetry)
          const pause = Duration.times(backoff, 0.5 + (yield* Random.next) / 2)
          if (!isDeserted) return pause
          // a WebSocket may get through all the same, where it takes another way than a plain request
          yield* Effect.timeoutOption(awaitSomebody(url), lastRetry)
          return Duration.zero
        })
      )
    )
    const hindrance = obstacle(url, openWebSocket)
    if (hindrance !== undefined) yield* lose(lossOf(hindrance, false))
    const protocol = yield* RpcClient.makeProtocolSocket({ retryTransientErrors: true, retryPolicy }).pipe(
      Effect.provideService(RpcClient.ConnectionHooks, hooks),
      Effect.provideService(
        RpcSerialization.RpcSerialization,
        JsonRpcSerialization.make((method, params) => {
          const notification = readNotification(method, params)
          if (notification !== undefined) PubSub.publishUnsafe(pubsub, notification)
        })
      ),
      Effect.provideServiceEffect(
        Socket.Socket,
        hindrance === undefined ? dial(url, openWebSocket) : Socket.fromWebSocket(Effect.never)
      )
    )

    /** Whether a call may go out now; undefined: it has to wait. */
    const verdict = (now: ConnectionState, method: string): Effect.Effect<void, RpcClientError> | undefined => {
      if (now._tag === "Ready") return Effect.void
      if (now._tag === "Connecting") return undefined
      if (now.error._tag === "AuthFailed") return isOpen(method) ? Effect.void : Effect.fail(wrap(now.error))
      return now.error.retrying ? undefined : Effect.fail(wrap(now.error))
    }
    const outOfPatience = Effect.suspend(() => {
      const now = SubscriptionRef.getUnsafe(state)
      return Effect.fail(wrap(now._tag === "Lost" ? now.error : lossOf(silence(url))))
    })
    const admit = (method: string) =>
      Effect.suspend(
        () =>
          verdict(SubscriptionRef.getUnsafe(state), method) ??
          SubscriptionRef.changes(state).pipe(
            Stream.map((now) => verdict(now, method)),
            Stream.filter((known) => known !== undefined),
            Stream.take(1),
            Stream.runForEach((known) => known),
            Effect.timeoutOrElse({ duration: patience, orElse: () => outOfPatience })
          )
      )

    const makeClient = (send: RpcClient.Protocol["Service"]["send"]) =>
      RpcClient.make(CameraRpcs, { disableTracing: true, flatten: true }).pipe(
        Effect.provideService(RpcClient.Protocol, { ...protocol, send }),
        Effect.map((ask) => makeCalls(ask, (error) => unwrap(error) ?? lossOf(describeLoss(url, error.reason))))
      )
    const { authenticate } = yield* makeClient(protocol.send)
    const call = yield* makeClient((clientId, request, transferables) =>
      request._tag === "Request"
        ? // `send` looks at the connection when it is called: not before it may be used
          Effect.flatMap(admit(request.tag), () => protocol.send(clientId, request, transferables))
        : protocol.send(clientId, request, transferables)
    )

    const onEachConnection = Effect.fnUntraced(function* <A, E>(calls: Effect.Effect<A, E>) {
      let latest = isConnected ? connection : connection + 1
      const result = yield* calls
      const repeat = Effect.tapCause(calls, (cause) =>
        Effect.logWarning("a camera client could not repeat its calls at a new connection", cause)
      )
      yield* SubscriptionRef.changes(state).pipe(
        Stream.filter((now) => now._tag === "Ready" && now.connection > latest),
        Stream.runForEach(() => {
          latest = connection
          return Effect.exit(repeat)
        }),
        Effect.forkScoped
      )
      return result
    })

    return CameraClient.of({
      call,
      notifications: Stream.fromPubSub(pubsub),
      state: SubscriptionRef.get(state),
      states: SubscriptionRef.changes(state),
      onEachConnection
    })
  })

  static readonly layer = (options: Options) => Layer.effect(CameraClient, CameraClient.make(options))
}

const lossOf = (message: string, retrying = true) => new ConnectionLost({ message, retrying })
