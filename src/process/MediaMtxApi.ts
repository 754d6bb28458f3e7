import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { Settings } from "../config/Settings.ts"
import { jsonClient } from "./JsonHttp.ts"

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

/** Options of a path, by MediaMTX's names (its `internal/conf/path.go`). */
export type PathOptions = Readonly<Record<string, Schema.Json>>

/** A configured path: its name and every option, also those at their default. */
export interface PathConfig {
  readonly name: string
  readonly options: PathOptions
}

/** One track of a running path, as MediaMTX parsed it. */
export interface Track {
  /** `H264`, `MJPEG`, … */
  readonly codec: string
  readonly profile: string
  readonly level: string
  readonly width: number
  readonly height: number
}

/** A path as it is: it exists while it is configured by its own name, or in use. */
export interface PathState {
  readonly name: string
  /** Somebody publishes, so readers get frames. */
  readonly ready: boolean
  /** When it became ready, epoch milliseconds. */
  readonly readySince: Option.Option<number>
  /** MediaMTX's word for the kind of its publisher or source (`rtspSession`); empty while there is none. */
  readonly source: string
  readonly readers: number
  readonly bytesReceived: number
  readonly bytesSent: number
  readonly tracks: ReadonlyArray<Track>
}

const PropertyText = Schema.optionalKey(Schema.Union([Schema.String, Schema.Finite]))
const Size = Schema.optionalKey(Schema.Finite)

const PathItem = Schema.Struct({
  name: Schema.String,
  available: Schema.Boolean,
  availableTime: Schema.NullOr(Schema.String),
  source: Schema.NullOr(Schema.Struct({ type: Schema.String })),
  tracks2: Schema.NullOr(
    Schema.Array(
      Schema.Struct({
        codec: Schema.String,
        codecProps: Schema.NullOr(
          Schema.Struct({ profile: PropertyText, level: PropertyText, width: Size, height: Size })
        )
      })
    )
  ),
  readers: Schema.NullOr(Schema.Array(Schema.Struct({ type: Schema.String }))),
  inboundBytes: Schema.Int,
  outboundBytes: Schema.Int
})

const ConfigItem = Schema.StructWithRest(Schema.Struct({ name: Schema.String }), [
  Schema.Record(Schema.String, Schema.Json)
])

const page = <S extends Schema.Top>(item: S) => Schema.Struct({ pageCount: Schema.Int, items: Schema.Array(item) })

const toState = (item: typeof PathItem.Type): PathState => {
  const since = Date.parse(item.availableTime ?? "")
  return {
    name: item.name,
    ready: item.available,
    readySince: Number.isNaN(since) ? Option.none() : Option.some(since),
    source: item.source?.type ?? "",
    readers: item.readers?.length ?? 0,
    bytesReceived: item.inboundBytes,
    bytesSent: item.outboundBytes,
    tracks: (item.tracks2 ?? []).map(({ codec, codecProps }) => ({
      codec,
      profile: String(codecProps?.profile ?? ""),
      level: String(codecProps?.level ?? ""),
      width: codecProps?.width ?? 0,
      height: codecProps?.height ?? 0
    }))
  }
}

const decodeConfigs = Schema.decodeUnknownEffect(page(ConfigItem))
const decodePaths = Schema.decodeUnknownEffect(page(PathItem))
const decodePath = Schema.decodeUnknownEffect(PathItem)
const decodeGlobal = Schema.decodeUnknownEffect(Schema.Struct({ sysLogPrefix: Schema.String }))
const Info = Schema.Struct({ version: Schema.String, started: Schema.String })
const decodeInfo = Schema.decodeUnknownEffect(Info)
const isRefusal = Schema.is(Schema.Struct({ error: Schema.String }))

// As many as a reply may carry: one request for all but very large boxes.
const itemsPerPage = 1000

/** MediaMTX's HTTP API (v1.20), on loopback. Every call ends within 5 s. Its configuration lives in its memory only. */
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
     * Sets some options. Up to v1.20.1 a refused PATCH poisons MediaMTX: every later configuration call is refused
     * until `replacePath`, or `deletePath` and `addPath`, have put this path right.
     */
    readonly patchPath: (name: string, options: PathOptions) => Effect.Effect<void, MediaMtxError>
    /** Removes a path; one that is not there is fine. */
    readonly deletePath: (name: string) => Effect.Effect<void, MediaMtxError>
    /** The paths as they are, all pages. */
    readonly listPaths: Effect.Effect<ReadonlyArray<PathState>, MediaMtxError>
    /** One path as it is; none when there is no such path. */
    readonly getPath: (name: string) => Effect.Effect<Option.Option<PathState>, MediaMtxError>
    /** Its version (`v1.20.1`), and when it started: another time is another run. */
    readonly info: Effect.Effect<typeof Info.Type, MediaMtxError>
    /** What its configuration has as `sysLogPrefix`: tells one MediaMTX from another (see `MediaMtx.ts`). */
    readonly identity: Effect.Effect<string, MediaMtxError>
  }
>()("camera-service/process/MediaMtxApi") {
  static readonly layer = Layer.effect(
    MediaMtxApi,
    Effect.gen(function* () {
      const { mediamtx } = (yield* Settings).boot
      const send = yield* jsonClient({ host: "127.0.0.1", port: mediamtx.api_port })

      const call = Effect.fnUntraced(
        function* (method: string, path: string, body?: PathOptions) {
          const { reply, status } = yield* send(method, path, body)
          if (status < 300) return reply
          const detail = isRefusal(reply) ? reply.error : `status ${status}`
          return yield* new MediaMtxRefused({ status, detail })
        },
        Effect.timeoutOrElse({
          duration: "5 seconds",
          orElse: () => Effect.fail(new MediaMtxUnavailable({ detail: "no answer within 5 s" }))
        }),
        Effect.catchTag("HttpFailed", (cause) =>
          Effect.fail(new MediaMtxUnavailable({ detail: cause.detail, cause: cause.cause }))
        )
      )

      const understood = <A>(decoded: Effect.Effect<A, Schema.SchemaError>) =>
        Effect.mapError(
          decoded,
          (cause) => new MediaMtxUnavailable({ detail: "an answer in an unknown form: is it MediaMTX 1.20?", cause })
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
          Effect.map((items) => items.map(({ name, ...options }): PathConfig => ({ name, options }))),
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
        info: call("GET", "/v3/info").pipe(Effect.flatMap((reply) => understood(decodeInfo(reply)))),
        identity: call("GET", "/v3/config/global/get").pipe(
          Effect.flatMap((reply) => understood(decodeGlobal(reply))),
          Effect.map((global) => global.sysLogPrefix)
        )
      }
    })
  )
}
