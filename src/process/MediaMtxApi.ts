import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { Settings } from "../config/Settings.ts"
import { type JsonRequest, Loopback } from "../ground/Loopback.ts"
import { MediaMtxKey } from "./MediaMtxKey.ts"
import {
  decodeConfig,
  decodeConfigs,
  decodeInfo,
  decodeOptions,
  decodePath,
  decodePaths,
  decodeSession,
  decodeSessions,
  type Info,
  isRefusal,
  type PathConfig,
  type PathOptions,
  type PathState,
  toConfig,
  toState
} from "./MediaMtxReplies.ts"

/** MediaMTX does not answer: it is starting, gone or hanging. */
export class MediaMtxUnavailable extends Schema.TaggedError<MediaMtxUnavailable>()("MediaMtxUnavailable", {
  detail: Schema.String,
  cause: Schema.optionalKey(Schema.Defect())
}) {}

/** MediaMTX answered, and refused. After a refused PATCH the whole path must be replaced: see `patchPath`. */
export class MediaMtxRefused extends Schema.TaggedError<MediaMtxRefused>()("MediaMtxRefused", {
  status: Schema.Int,
  detail: Schema.String
}) {}

export type MediaMtxError = MediaMtxUnavailable | MediaMtxRefused

/** How a reader comes. */
export const protocols = ["rtsp", "hls", "webrtc", "rtmp", "srt", "moq"] as const
export type Protocol = (typeof protocols)[number]

/** Where its API has the sessions of a protocol, which it calls the same with TLS where it asks who may read. */
const sessionKinds: Readonly<Record<Protocol, ReadonlyArray<string>>> = {
  rtsp: ["rtspsessions", "rtspssessions"],
  hls: ["hlssessions"],
  webrtc: ["webrtcsessions"],
  rtmp: ["rtmpconns", "rtmpsconns"],
  srt: ["srtconns"],
  moq: ["moqsessions"]
}

// As many as a reply may carry: one request for all but very large boxes.
const itemsPerPage = 1000

/** MediaMTX's HTTP API (v1.21), on loopback. Every call ends within 5 s. Its configuration lives in its memory only. */
export class MediaMtxApi extends Context.Service<
  MediaMtxApi,
  {
    /** The configured paths, all pages; also the operator's own. */
    readonly listPathConfigs: Effect.Effect<ReadonlyArray<PathConfig>, MediaMtxError>
    /** Refused (400) when it exists already. A refused add does no harm. */
    readonly addPath: (name: string, options: PathOptions) => Effect.Effect<void, MediaMtxError>
    /** Sets all options, or makes the path. This is also what mends MediaMTX after a refused PATCH. */
    readonly replacePath: (name: string, options: PathOptions) => Effect.Effect<void, MediaMtxError>
    /**
     * Sets some options. Up to v1.21.0 a refused PATCH poisons MediaMTX: every later configuration call is refused
     * until `replacePath`, or `deletePath` and `addPath`, have put this path right.
     */
    readonly patchPath: (name: string, options: PathOptions) => Effect.Effect<void, MediaMtxError>
    /** Removes a path; one that is not there is fine. */
    readonly deletePath: (name: string) => Effect.Effect<void, MediaMtxError>
    /** The paths as they are, all pages. */
    readonly listPaths: Effect.Effect<ReadonlyArray<PathState>, MediaMtxError>
    /** One path as it is; none when there is no such path. */
    readonly getPath: (name: string) => Effect.Effect<Option.Option<PathState>, MediaMtxError>
    /**
     * Whether it answers at all. A preflight (`internal/api/api.go`, middlewarePreflightRequests) is answered without asking us
     * who asks: a third of what `info` costs both.
     */
    readonly answers: Effect.Effect<void, MediaMtxError>
    /** Its version (`v1.21.0`), and when it started: another time is another run. */
    readonly info: Effect.Effect<Info, MediaMtxError>
    /** Its configuration, paths apart: every option by MediaMTX's name, also those at their default. */
    readonly global: Effect.Effect<PathOptions, MediaMtxError>
    /** The options of a path that sets none. */
    readonly pathDefaults: Effect.Effect<PathOptions, MediaMtxError>
    /**
     * Where an RTSP client comes from (`127.0.0.1:40112`), by its session, or its connection, which has none before SETUP or
     * ANNOUNCE; also while MediaMTX asks who it is.
     */
    readonly rtspClient: (by: "session" | "connection", id: string) => Effect.Effect<string, MediaMtxError>
    /** The sessions that read or publish over this protocol, all pages. */
    readonly listSessions: (protocol: Protocol) => Effect.Effect<ReadonlyArray<string>, MediaMtxError>
    /** Cuts a session off; false when there is none of this id (yet: HLS shows one only when its stream is there). */
    readonly kickSession: (protocol: Protocol, session: string) => Effect.Effect<boolean, MediaMtxError>
  }
>()("camera-service/process/MediaMtxApi") {
  static readonly layer = Layer.effect(
    MediaMtxApi,
    Effect.gen(function* () {
      const { mediamtx } = (yield* Settings).boot
      const key = yield* MediaMtxKey
      const loopback = yield* Loopback
      const send = yield* loopback.json({ host: "127.0.0.1", port: mediamtx.api_port })

      const exchange = Effect.fnUntraced(
        function* (request: JsonRequest) {
          const { body: reply, status } = yield* send(request)
          if (status < 300) return reply
          const detail = isRefusal(reply) ? reply.error : `status ${status}`
          return yield* new MediaMtxRefused({ status, detail })
        },
        Effect.timeoutOrElse({
          duration: "5 seconds",
          orElse: () => Effect.fail(new MediaMtxUnavailable({ detail: "no answer within 5 s" }))
        }),
        Effect.catchTag("NoReply", (cause) => Effect.fail(new MediaMtxUnavailable({ detail: cause.detail, cause })))
      )
      const call = (method: string, path: string, body?: PathOptions) =>
        Effect.suspend(() => exchange({ method, path, body, headers: { authorization: key.authorization() } }))
      const preflight = { method: "OPTIONS", path: "/v3/info", headers: { "access-control-request-method": "GET" } }

      const understood = <A>(decoded: Effect.Effect<A, Schema.SchemaError>) =>
        Effect.mapError(
          decoded,
          (cause) =>
            new MediaMtxUnavailable({ detail: "an answer in an unknown form: is it MediaMTX 1.21 or later?", cause })
        )

      const all = Effect.fnUntraced(function* <A>(
        path: string,
        decode: (
          reply: unknown
        ) => Effect.Effect<{ readonly pageCount: number; readonly items: ReadonlyArray<A> }, Schema.SchemaError>
      ) {
        const items: Array<A> = []
        let pages = 1
        for (let i = 0; i < pages; i++) {
          const reply = yield* call("GET", `${path}?itemsPerPage=${itemsPerPage}&page=${i}`)
          const decoded = yield* understood(decode(reply))
          items.push(...decoded.items)
          pages = decoded.pageCount
        }
        return items
      })

      const configUrl = (action: string, name: string) => `/v3/config/paths/${action}/${encodeURIComponent(name)}`
      const ifNotFound = <A, B>(calling: Effect.Effect<A, MediaMtxError>, value: B) =>
        Effect.catchTag(calling, "MediaMtxRefused", (refused) =>
          refused.status === 404 ? Effect.succeed(value) : Effect.fail(refused)
        )

      return {
        listPathConfigs: all("/v3/config/paths/list", decodeConfigs).pipe(
          Effect.map((items) => items.map(toConfig)),
          Effect.withSpan("MediaMtxApi.listPathConfigs")
        ),
        addPath: Effect.fn("MediaMtxApi.addPath")(function* (name: string, options: PathOptions) {
          yield* call("POST", configUrl("add", name), options)
        }),
        replacePath: Effect.fn("MediaMtxApi.replacePath")(function* (name: string, options: PathOptions) {
          yield* call("POST", configUrl("replace", name), options)
        }),
        patchPath: Effect.fn("MediaMtxApi.patchPath")(function* (name: string, options: PathOptions) {
          yield* call("PATCH", configUrl("patch", name), options)
        }),
        deletePath: Effect.fn("MediaMtxApi.deletePath")(function* (name: string) {
          yield* ifNotFound(call("DELETE", configUrl("delete", name)), undefined)
        }),
        listPaths: all("/v3/paths/list", decodePaths).pipe(
          Effect.map((items) => items.map(toState)),
          Effect.withSpan("MediaMtxApi.listPaths")
        ),
        getPath: Effect.fn("MediaMtxApi.getPath")(function* (name: string) {
          const found = call("GET", `/v3/paths/get/${encodeURIComponent(name)}`).pipe(
            Effect.flatMap((reply) => understood(decodePath(reply))),
            Effect.map((item) => Option.some(toState(item)))
          )
          return yield* ifNotFound(found, Option.none<PathState>())
        }),
        answers: Effect.asVoid(exchange(preflight)),
        info: call("GET", "/v3/info").pipe(Effect.flatMap((reply) => understood(decodeInfo(reply)))),
        global: call("GET", "/v3/config/global/get").pipe(Effect.flatMap((reply) => understood(decodeOptions(reply)))),
        pathDefaults: call("GET", "/v3/config/pathdefaults/get").pipe(
          Effect.flatMap((reply) => understood(decodeConfig(reply))),
          Effect.map((item) => toConfig(item).options)
        ),
        rtspClient: Effect.fn("MediaMtxApi.rtspClient")(function* (by: "session" | "connection", id: string) {
          const kind = by === "session" ? "rtspsessions" : "rtspconns"
          const reply = yield* call("GET", `/v3/${kind}/get/${encodeURIComponent(id)}`)
          return (yield* understood(decodeSession(reply))).remoteAddr
        }),
        listSessions: Effect.fn("MediaMtxApi.listSessions")(function* (protocol: Protocol) {
          const found: Array<string> = []
          for (const kind of sessionKinds[protocol]) {
            // a server that is switched off has no such URL
            const items = yield* ifNotFound(all(`/v3/${kind}/list`, decodeSessions), [])
            for (const { id } of items) found.push(id)
          }
          return found
        }),
        kickSession: Effect.fn("MediaMtxApi.kickSession")(function* (protocol: Protocol, session: string) {
          for (const kind of sessionKinds[protocol]) {
            const kicked = Effect.as(call("POST", `/v3/${kind}/kick/${encodeURIComponent(session)}`), true)
            if (yield* ifNotFound(kicked, false)) return true
          }
          return false
        })
      }
    })
  )
}
