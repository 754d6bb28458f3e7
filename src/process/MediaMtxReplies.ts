import * as Schema from "effect/Schema"

/*
 * What MediaMTX's API (v1.21) answers, and what we make of it.
 */

/** Options of a path, by MediaMTX's names (its `internal/conf/path.go`). */
export type PathOptions = Readonly<Record<string, Schema.Json>>

/** A configured path: its name and every option, also those at their default. */
export interface PathConfig {
  readonly name: string
  readonly options: PathOptions
}

/** A path as it is: it exists while it is configured by its own name, or in use. */
export interface PathState {
  readonly name: string
  /** Somebody publishes, so readers get frames. */
  readonly ready: boolean
  readonly readers: number
  readonly bytesReceived: number
  readonly bytesSent: number
}

const PathItem = Schema.Struct({
  name: Schema.String,
  available: Schema.Boolean,
  readers: Schema.NullOr(Schema.Array(Schema.Struct({ type: Schema.String }))),
  inboundBytes: Schema.Int,
  outboundBytes: Schema.Int
})

const ConfigItem = Schema.StructWithRest(Schema.Struct({ name: Schema.String }), [
  Schema.Record(Schema.String, Schema.Json)
])

const page = <S extends Schema.Top>(item: S) => Schema.Struct({ pageCount: Schema.Int, items: Schema.Array(item) })

export const toState = (item: typeof PathItem.Type): PathState => ({
  name: item.name,
  ready: item.available,
  readers: item.readers?.length ?? 0,
  bytesReceived: item.inboundBytes,
  bytesSent: item.outboundBytes
})

export const toConfig = ({ name, ...options }: typeof ConfigItem.Type): PathConfig => ({ name, options })

export const decodeConfigs = Schema.decodeUnknownEffect(page(ConfigItem))
export const decodeConfig = Schema.decodeUnknownEffect(ConfigItem)
export const decodePaths = Schema.decodeUnknownEffect(page(PathItem))
export const decodePath = Schema.decodeUnknownEffect(PathItem)
const Options = Schema.Record(Schema.String, Schema.Json)
export const decodeOptions = Schema.decodeUnknownEffect(Options)
export const decodeSessions = Schema.decodeUnknownEffect(page(Schema.Struct({ id: Schema.String })))
export const decodeSession = Schema.decodeUnknownEffect(Schema.Struct({ remoteAddr: Schema.String }))
const Info = Schema.Struct({ version: Schema.String, started: Schema.String })
/** A run of MediaMTX. */
export type Info = typeof Info.Type
export const decodeInfo = Schema.decodeUnknownEffect(Info)
export const isRefusal = Schema.is(Schema.Struct({ error: Schema.String }))
