import * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as References from "effect/References"
import * as Scheduler from "effect/Scheduler"
import * as Tracer from "effect/Tracer"
import { SecureRandom } from "effect/crypto/SecureRandom"
import type { Session } from "../../schema/Auth.ts"
import { CameraRpcs } from "../../schema/CameraRpcs.ts"
import type { AuthFailed, ServiceError } from "../../schema/Errors.ts"
import { internalError } from "../../schema/JsonRpc.ts"
import { liveNow, Settings } from "../config/Settings.ts"
import type { Peer, Receiver } from "../ground/Visits.ts"
import { monotonicNow } from "../ground/Time.ts"
import { makeRefusals } from "../telemetry/Refusals.ts"
import { Calls } from "../self/Calls.ts"
import { Channel, type Switchboard } from "./Channel.ts"
import type { Call } from "./CallsInFlight.ts"
import { Backlog } from "./Backlog.ts"
import { type CallMeter, makeCallMeter } from "./CallMeter.ts"
import { whoIs } from "./Connection.ts"
import { Connections } from "./Connections.ts"
import { makeDispatcher } from "./Dispatcher.ts"
import { makeMethods } from "./Methods.ts"
import { RequestLimits } from "./RequestLimits.ts"
import { codeFor, failure, namingCamera, success } from "./Reply.ts"
import { Shares } from "./Shares.ts"
import { Turns } from "./Turns.ts"

/** How a client came. */
export interface Arrival {
  /** the IP address that it comes from */
  readonly address: string
  /** the host and the port by which it came, as it wrote them */
  readonly cameBy: string | undefined
  /** by TLS, to us or to a proxy in front of us */
  readonly isSecure: boolean
  /** whom the credential speaks for that it showed; undefined: it showed none */
  readonly login: Effect.Effect<Session, AuthFailed> | undefined
}

/**
 * Strict JSON-RPC 2.0 (https://www.jsonrpc.org/specification) for the methods of `CameraRpcs`, over any transport of
 * text messages: envelope, batches, codes and limits here; handlers, rights and typed errors are the Rpc server's.
 */
export class JsonRpcProtocol extends Context.Service<
  JsonRpcProtocol,
  {
    /** a new client; nothing that it sends is read until its credential, if it showed one, has been looked at */
    readonly connect: (peer: Peer, arrival: Arrival) => Receiver
  }
>()("camera-service/rpc/JsonRpcProtocol") {
  static readonly layer = Layer.effect(
    JsonRpcProtocol,
    Effect.gen(function* () {
      const settings = yield* Settings
      const connections = yield* Connections
      const calls = yield* Calls
      const run = Effect.runForkWith(yield* Effect.context<never>())
      const traced = yield* isTraced
      const meter = yield* makeCallMeter
      const answer = answerer(yield* SecureRandom, traced, meter)
      const refused = yield* makeRefusals
      const dispatcher = yield* makeDispatcher
      const macrotasks = (yield* Scheduler.Scheduler).makeDispatcher()

      const turns = new Turns(yield* monotonicNow, (next) => macrotasks.scheduleTask(next, 0))
      const switchboard: Switchboard = {
        backlog: new Backlog(),
        meter,
        turns,
        shares: new Shares(turns),
        limits: yield* RequestLimits,
        methods: makeMethods(CameraRpcs.requests.values()),
        dispatch(channel, requestId, call, payload) {
          calls.count++
          dispatcher.dispatch({
            clientId: channel.connection.id,
            requestId,
            method: call.method.name,
            payload,
            answer: (exit) =>
              // no call: the client has gone
              channel.call(requestId) === undefined ? Effect.void : answer(channel, requestId, call, payload, exit),
            within: traced ? inSpan(call) : undefined
          })
        },
        maxUnread: () => liveNow(settings).server.max_unread_kilobytes * 1024,
        abandoned: ({ connection }, limit) => {
          const about = { ...whoIs(connection), unread_bytes: connection.peer.buffered() }
          refused(limit, about.peer, "a client is cut off: it leaves replies unread", about)
        },
        replies: ({ connection }) => connections.deliver(connection),
        drained: ({ connection }) => connections.drained(connection),
        left({ connection }) {
          connections.remove(connection.id)
          dispatcher.disconnect(connection.id)
        }
      }

      const logIn = (channel: Channel, login: Effect.Effect<Session, AuthFailed>) => {
        const { connection } = channel
        channel.hold()
        const looked = Effect.match(login, {
          onFailure: (error) => void (connection.refused = error),
          onSuccess: (session) => connections.authenticate(connection.id, session)
        })
        run(
          Effect.ensuring(
            looked,
            Effect.sync(() => channel.release())
          )
        )
      }

      const connect = (peer: Peer, { login, ...how }: Arrival): Receiver => {
        const connection = connections.add(peer, how)
        const channel = new Channel(connection, switchboard)
        if (login !== undefined) logIn(channel, login)
        return channel
      }

      return JsonRpcProtocol.of({ connect })
    })
  )
}

/** Spans that nobody collects cost a third of a small call: none are made then. */
const isTraced = Effect.gen(function* () {
  return (yield* References.TracerEnabled) && (yield* Tracer.Tracer) !== Tracer.nativeTracer
})

/** The span of a request, with the names of OpenTelemetry's semantic conventions for JSON-RPC. */
const inSpan =
  (call: Call) =>
  <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
    Effect.withSpan(effect, `rpc ${call.method.name}`, {
      kind: "server",
      // nobody's child: the layers were built within a span of the start, which has long ended
      root: true,
      captureStackTrace: false,
      attributes: {
        "rpc.system.name": "jsonrpc",
        "rpc.method": call.method.name,
        // an id may be as long as a frame
        ...(call.id === undefined ? {} : { "jsonrpc.request.id": call.id.slice(0, 128) })
      }
    }) as Effect.Effect<A, E, R>

const askForIt = "tell whoever runs this service the request_id: it is in the log, with what went wrong"

/** Makes what answers a call. */
const answerer = (random: SecureRandom["Service"], traced: boolean, meter: CallMeter) => {
  const mark = (code: number): Effect.Effect<void> =>
    traced ? Effect.annotateCurrentSpan("rpc.response.status_code", String(code)) : Effect.void

  /** without a tracer there is no trace, and still a number that both sides know */
  const anyId = Effect.map(random.uuidV4(), (id) => id.replaceAll("-", ""))
  const traceId = traced
    ? Effect.matchEffect(Effect.currentSpan, {
        onFailure: () => anyId,
        onSuccess: (span) => Effect.succeed(span.traceId)
      })
    : anyId

  /** what went wrong stays in our log; the client gets the number to ask for it by */
  const answerDefect = Effect.fnUntraced(function* (
    channel: Channel,
    requestId: number,
    call: Call,
    cause: Cause.Cause<unknown>
  ) {
    const request_id = yield* traceId
    const data = { request_id, suggestion: askForIt }
    channel.answer(requestId, call.id === undefined ? undefined : failure(call.id, internalError, data))
    meter.answered(call.method.name, call.frame.began, internalError.code)
    yield* mark(internalError.code)
    yield* Effect.logError("a call ended with a defect", cause).pipe(
      Effect.annotateLogs({ "rpc.method": call.method.name, request_id })
    )
  })

  return (
    channel: Channel,
    requestId: number,
    call: Call,
    params: unknown,
    exit: Exit.Exit<unknown, unknown>
  ): Effect.Effect<void> => {
    if (exit._tag === "Success") {
      let text: string | undefined
      try {
        text = call.id === undefined ? undefined : success(call.id, call.method.encode(exit.value))
      } catch (cause) {
        return answerDefect(channel, requestId, call, Cause.die(cause))
      }
      const replaced = channel.answer(requestId, text)
      meter.answered(call.method.name, call.frame.began, replaced)
      return replaced === undefined ? Effect.void : mark(replaced)
    }
    const error = Cause.hasDies(exit.cause) ? undefined : Option.getOrUndefined(Cause.findErrorOption(exit.cause))
    const code = codeFor(error)
    if (code === undefined) return answerDefect(channel, requestId, call, exit.cause)
    const about = namingCamera(error as ServiceError, params)
    channel.answer(requestId, call.id === undefined ? undefined : failure(call.id, code, about))
    meter.answered(call.method.name, call.frame.began, code.code)
    return mark(code.code)
  }
}
