import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import * as SubscriptionRef from "effect/SubscriptionRef"
import { DependencyFailed } from "../../schema/Errors.ts"
import { reachableHere } from "../config/Hosts.ts"
import { liveNow, Settings } from "../config/Settings.ts"
import { areStreamsSecured } from "../config/Tls.ts"
import type { Device } from "../device/Device.ts"
import { Loopback, type WebAnswer, type WebCall } from "../ground/Loopback.ts"
import { type HttpReply, ReplyBroken } from "../ground/Visits.ts"
import { MediaMtx } from "../process/MediaMtx.ts"
import { MediaMtxCertificate } from "../process/MediaMtxCertificate.ts"
import { isUseless, noAnswer, troubleOf } from "../process/MediaMtxTrouble.ts"
import { failure } from "./Refusal.ts"

/** MediaMTX is away, or does not answer. */
export class MediaMtxAway extends Schema.TaggedError<MediaMtxAway>()("MediaMtxAway", { detail: Schema.String }) {}

/** One that starts anew is back within this, mostly. */
const restartTime = "750 millis"
/** A stream has as long to start as it may; this is for the rest. */
const answerTime = Duration.seconds(5)

/** What a browser may do with a reply of MediaMTX's is up to us: these headers say what is in it. */
const passedOn = ["accept-patch", "cache-control", "content-length", "content-type", "etag", "link"] as const

/** Makes what asks one of MediaMTX's HTTP servers, and gives up as soon as MediaMTX is known to be away. */
export const makeMediaMtxClient = Effect.fnUntraced(function* (server: "hls_port" | "webrtc_port") {
  const settings = yield* Settings
  const { state } = yield* MediaMtx
  const { isHanded } = yield* MediaMtxCertificate
  const { mediamtx } = settings.boot
  const target = { host: reachableHere(mediamtx.host), port: mediamtx[server] }
  const { web } = yield* Loopback
  // what else listens there in its place is shown no token
  const ask = yield* web(areStreamsSecured(settings.boot) ? { ...target, isKnown: isHanded } : target)

  const untilIs = (useless: boolean) =>
    Stream.runHead(Stream.filter(SubscriptionRef.changes(state), (now) => isUseless(now) === useless))
  const away = Effect.suspend(() => {
    const now = SubscriptionRef.getUnsafe(state)
    return new MediaMtxAway({ detail: now.detail ?? troubleOf(now) ?? noAnswer })
  })
  const awaitUseful = Effect.timeoutOrElse(untilIs(false), { duration: restartTime, orElse: () => away })

  return (call: WebCall) =>
    Effect.suspend(() => {
      const patience = Duration.sum(liveNow(settings).streams.start_timeout_seconds, answerTime)
      return awaitUseful.pipe(
        Effect.andThen(Effect.raceFirst(ask(call), Effect.andThen(untilIs(true), away))),
        Effect.catchTag("NoReply", () => away),
        Effect.timeoutOrElse({ duration: patience, orElse: () => away })
      )
    })
})

/** The reply as the client gets it. */
export const passOn = ({ body, headers, status }: WebAnswer, more: HttpReply["headers"] = {}): HttpReply => ({
  status,
  headers: {
    ...Object.fromEntries(
      passedOn.flatMap((name) => {
        const value = headers[name]
        return value === undefined ? [] : [[name, value]]
      })
    ),
    "x-content-type-options": "nosniff",
    ...more
  },
  body: Stream.mapError(body, (cause) => new ReplyBroken({ cause }))
})

const isError = Schema.is(Schema.Struct({ error: Schema.String }))

/** What MediaMTX says is wrong (its `internal/defs/api.go`); its first bytes are enough. */
export const complaintOf = ({ body }: WebAnswer): Effect.Effect<string> =>
  Stream.mkString(Stream.decodeText(Stream.take(body, 1))).pipe(
    Effect.flatMap((text) => Effect.try((): unknown => JSON.parse(text))),
    Effect.map((said) => (isError(said) ? said.error : "")),
    Effect.orElseSucceed(() => "")
  )

const soon = { "retry-after": 1 }

export const mediaMtxIsAway = ({ detail }: Pick<MediaMtxAway, "detail">): HttpReply =>
  failure(503, new DependencyFailed({ dependency: "mediamtx", detail, suggestion: "try again in a second" }), soon)

/** The camera is there, and its stream did not come. */
export const noStream = ({ fault, id, status }: Device): HttpReply =>
  failure(
    503,
    new DependencyFailed({
      dependency: "camera",
      detail: fault?.detail ?? (status === "DISCONNECTED" ? `${id} is not plugged in` : `${id} sends no stream yet`),
      suggestion: fault?.suggestion ?? "try again in a second"
    }),
    soon
  )
