import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { isCameraId } from "../../schema/Camera.ts"
import { inScope } from "../auth/CameraScope.ts"
import { Credentials } from "../auth/Credentials.ts"
import { FailedLogins } from "../auth/FailedLogins.ts"
import { MediaMtxSessions } from "../auth/MediaMtxSessions.ts"
import { isSignature } from "../auth/SignedUrls.ts"
import { type Shown, Tickets } from "../auth/Tickets.ts"
import { isEverywhere } from "../config/Hosts.ts"
import { Settings } from "../config/Settings.ts"
import { plainRtspHost } from "../config/Tls.ts"
import { Devices } from "../device/Devices.ts"
import { Loopback } from "../ground/Loopback.ts"
import { MediaMtxApi } from "../process/MediaMtxApi.ts"
import { MediaMtxKey } from "../process/MediaMtxKey.ts"
import { cameraOf, streamsOf } from "../stream/StreamName.ts"
import { Viewers } from "../stream/Viewers.ts"
import { makeWarner } from "../telemetry/Warner.ts"
import { json, LocalHttp } from "./LocalHttp.ts"

/** What MediaMTX asks before it lets anybody publish, read, play back or use its API (its `internal/auth/manager.go`). */
const Question = Schema.fromJsonString(
  Schema.Struct({
    user: Schema.String,
    password: Schema.String,
    token: Schema.String,
    action: Schema.String,
    path: Schema.String,
    query: Schema.String,
    /** who asks MediaMTX: the log tells it, and failures are remembered by it */
    ip: Schema.String.check(Schema.isPattern(/^[\dA-Fa-f:.]{2,45}(?:%[\w.-]{1,32})?$/)),
    protocol: Schema.String,
    /** the session that asks; null for what opens none */
    id: Schema.NullOr(Schema.String.check(Schema.isMaxLength(64)))
  })
)
type Question = typeof Question.Type

const yes = json(200, { allowed: true })
const no = json(401, { allowed: false })
const notMediaMtx = json(403, { allowed: false })

/** So long is waited where an identity provider has to be asked for a new key, which goes on beside. */
const providerTime = "250 millis"

/** MediaMTX's API tells of a session within milliseconds, and on a busy machine in its time; meanwhile no path moves. */
const lookTime = "3 seconds"

/** A token or a key as the password, as a Bearer token, or as `?token=`: MediaMTX gives it to us in one of three places. */
const tokenOf = ({ password, query, token }: Question): string =>
  token || password || (new URLSearchParams(query).get("token") ?? "")

/**
 * Answers MediaMTX's question (`POST /mediamtx/auth`) with the rights that hold over JSON-RPC. MediaMTX moves no path
 * until it has the answer: it comes from memory, and the stream that a reader needs is started beside it. Who shows a
 * publisher's ticket is looked at first: the ticket stands in FFmpeg's arguments, for everybody on this machine to read.
 */
export const layer = Layer.effectDiscard(
  Effect.gen(function* () {
    const local = yield* LocalHttp
    const { boot } = yield* Settings
    const { mediamtx } = boot
    const listens = plainRtspHost(boot)
    const api = yield* MediaMtxApi
    const key = yield* MediaMtxKey
    const loopback = yield* Loopback
    const sessions = yield* MediaMtxSessions
    const tickets = yield* Tickets
    const credentials = yield* Credentials
    const failedLogins = yield* FailedLogins
    const devices = yield* Devices
    const viewers = yield* Viewers

    const decode = Schema.decodeUnknownEffect(Question)
    const warn = yield* makeWarner
    const hint = mediamtx.managed ? {} : { settings: "mediamtx.auth_secret; MediaMTX's own authHTTPAddress" }

    /** Whether the other end of this connection, or of this session's, is that process of ours. */
    const isFrom = Effect.fn("MediaMtxAuth.isFrom")(
      function* (by: "session" | "connection", id: string, pid: number) {
        const [, host = "", port = ""] = /^\[?([^\]]*?)\]?:(\d+)$/.exec(yield* api.rtspClient(by, id)) ?? []
        const at = isEverywhere(listens) ? {} : { at: listens }
        const has = yield* loopback.has(pid, { host, port: Number(port), to: mediamtx.rtsp_port, ...at })
        if (has === undefined && !mediamtx.managed) {
          // the operator's may run in a container, where the address is another one than FFmpeg's
          yield* Effect.logWarning("MediaMTX does not see FFmpeg's own address: a ticket alone has to do", { host })
          return true
        }
        return has === true
      },
      Effect.timeout(lookTime),
      Effect.catch((error) => Effect.as(Effect.logWarning("who shows a ticket could not be found out", error), false))
    )

    const mayShow = (shown: Shown, { action, id }: Question): Effect.Effect<boolean> => {
      const holder = shown.holder()
      if (typeof holder !== "number") return Effect.succeed(holder === "anybody")
      if (id === null) return Effect.succeed(false)
      // who reads is asked for by its connection first (DESCRIBE), then by its session (SETUP)
      return isFrom(action === "publish" || shown.wasRedeemed() ? "session" : "connection", id, holder)
    }

    const answer = Effect.fn("MediaMtxAuth.answer")(function* (question: Question) {
      const { action, id, ip, path, protocol } = question
      const credential = tokenOf(question)
      yield* Effect.annotateCurrentSpan({ "mediamtx.action": action, "stream.name": path })
      const ticket = tickets.find(path, action, credential)
      if (ticket !== undefined) return (yield* mayShow(ticket, question)) && ticket.redeem() ? yes : no
      // RTSP clients, and browsers that ask, come without one first
      if ((action !== "read" && action !== "playback") || credential === "") return no
      // a viewing key is for what is seen now
      const verify = action === "read" ? credentials.verifyViewer(credential) : credentials.verify(credential)
      // never held up: meanwhile no path would move
      const over = isSignature(credential) ? ("a signed URL" as const) : ("MediaMTX" as const)
      const verified = failedLogins.noted({ address: ip, credential, over }, verify)
      // all else takes microseconds, or as long as a busy machine makes it
      const inTime = credentials.mayAskOthers(credential) ? Effect.timeout(verified, providerTime) : verified
      const session = yield* Effect.option(inTime)
      const camera = cameraOf(path)
      if (Option.isNone(session) || !isCameraId(camera) || !inScope(session.value.cameras, camera)) return no
      const device = devices.find(camera)
      // nothing of ours has that name: the rights to the camera say nothing of it
      if (path !== camera && (device === undefined || !streamsOf(device).includes(path))) return no
      if (id !== null && !(yield* sessions.opened(protocol, id, session.value))) return no
      if (action === "read" && device !== undefined) yield* viewers.admit(path)
      return yes
    })

    yield* local.route("POST", "/mediamtx/auth", ({ address, authorization, body }) => {
      if (!key.asks(authorization)) {
        warn(address, "who asks as MediaMTX does is not answered: the secret is not right", { peer: address, ...hint })
        return Effect.succeed(notMediaMtx)
      }
      return decode(body).pipe(
        Effect.flatMap((question) => {
          // our own calls, several a second: not worth a trace each
          if (question.action === "api") return Effect.succeed(key.opens(question.user, question.password) ? yes : no)
          return answer(question)
        }),
        Effect.catchTag("SchemaError", () => Effect.succeed(json(400, { allowed: false })))
      )
    })
    yield* key.answering
  })
)
