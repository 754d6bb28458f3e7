import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import { join } from "node:path"
import { CameraId } from "../../schema/Camera.ts"
import { ExternalStreamType } from "../../schema/External.ts"
import { DataFolder } from "../storage/DataFolder.ts"
import { SmallFiles } from "../storage/SmallFiles.ts"
import { Carried } from "./Carried.ts"
import { parseStreamUrl, type StreamSecret, type StreamUrl } from "./StreamUrl.ts"

/** A stream that was added; times are epoch milliseconds, `lastSeen` 0 where it was never reached. */
const fields = {
  type: ExternalStreamType,
  name: Schema.String,
  discoveredAt: Schema.Finite,
  lastSeen: Schema.Finite,
  /** what the camera and this stream of it are known by wherever they are: `onvif:SERIAL:PROFILE` */
  lasting: Schema.optionalKey(Schema.String),
  /** SHA-256 of the certificates that its stream and its device service (ONVIF) had when they were first reached, in hex */
  fingerprint: Schema.optionalKey(Schema.String),
  deviceFingerprint: Schema.optionalKey(Schema.String),
  carried: Schema.optionalKey(Carried),
  /** it can be moved (ONVIF's PTZ) */
  hasPtz: Schema.optionalKey(Schema.Boolean)
}

const Stored = Schema.fromJsonString(
  Schema.Struct({
    version: Schema.Literal(1),
    streams: Schema.Array(Schema.Struct({ url: Schema.String, ...fields })),
    /** names of cameras that were removed, in that order: kept for them, should they be added again */
    left: Schema.Array(CameraId)
  })
)

const Secret = Schema.Struct({
  credentials: Schema.optionalKey(Schema.Struct({ user: Schema.String, password: Schema.String })),
  resource: Schema.optionalKey(Schema.String)
})
const StoredSecrets = Schema.fromJsonString(
  Schema.Struct({ version: Schema.Literal(1), secrets: Schema.Record(Schema.String, Secret) })
)

export interface AddedStream extends Schema.Struct.Type<typeof fields> {
  readonly url: StreamUrl
}

export interface Kept {
  readonly streams: ReadonlyArray<AddedStream>
  readonly left: ReadonlyArray<CameraId>
}

/** In the data folder, and in `secrets`. */
export const streamsName = "external_streams.json"

/**
 * Where added streams last: `external_streams.json`, and what opens them apart from it in `secrets/external_streams.json`. Before
 * anything in them that is not understood is written over, both are kept aside: somebody may want to mend them.
 */
export const streamFiles = Effect.gen(function* () {
  const folder = yield* DataFolder
  const smallFiles = yield* SmallFiles
  const file = join(folder.root, streamsName)
  const secretFile = join(folder.secrets, streamsName)

  /** Under the first name that no other text has: `.bad`, `.bad2`, … */
  const keep = Effect.fnUntraced(function* (path: string) {
    const text = yield* smallFiles.read(path)
    if (Option.isNone(text)) return
    let kept = `${path}.bad`
    for (let number = 2; (yield* smallFiles.writeOnce(kept, text.value)) !== text.value; number++) {
      kept = `${path}.bad${number}`
    }
    yield* Effect.logError("what is not readable of a file of network cameras is left out; it is kept", { path, kept })
  })
  const keepBoth = Effect.andThen(keep(file), keep(secretFile))

  /** Undefined: it is not readable. What is wrong with it might show a secret. */
  const readOr = <A>(path: string, schema: Schema.Codec<A, string>, none: A) =>
    Effect.map(smallFiles.read(path), (text) =>
      Option.isNone(text) ? none : Option.getOrUndefined(Schema.decodeOption(schema)(text.value))
    )

  const read = Effect.gen(function* () {
    const stored = yield* readOr(file, Stored, { version: 1, streams: [], left: [] })
    const opened = yield* readOr(secretFile, StoredSecrets, { version: 1, secrets: {} })
    const { left, streams } = stored ?? { left: [], streams: [] }
    const known = yield* Effect.forEach(streams, ({ url, ...rest }) => withUrl(url, opened?.secrets[url], rest))
    const all = known.flat()
    if (stored === undefined || opened === undefined || all.length < streams.length) yield* keepBoth
    return { left, streams: all }
  })

  const write = Effect.fnUntraced(function* ({ left, streams }: Kept) {
    const secrets = Object.fromEntries(streams.map(({ url: { secret, text } }) => [text, Redacted.value(secret)]))
    const shown = streams.map(({ url, ...rest }) => ({ url: url.text, ...rest }))
    // first the secrets: a stream without its own would lock the camera's account with empty passwords
    yield* smallFiles.write(secretFile, jsonOf({ version: 1, secrets }))
    yield* smallFiles.write(file, jsonOf({ version: 1, streams: shown, left }))
  })
  return { read, write }
})

const jsonOf = (value: object) => `${JSON.stringify(value, undefined, 1)}\n`

const withUrl = (text: string, secret: StreamSecret = {}, rest: Omit<AddedStream, "url">) =>
  Effect.fromResult(parseStreamUrl(text)).pipe(
    Effect.map((url): ReadonlyArray<AddedStream> => {
      // what is hidden now was not always
      const all = { ...Redacted.value(url.secret), ...secret }
      return [{ ...rest, url: { ...url, secret: Redacted.make(all) } }]
    }),
    Effect.catch(({ rule }) =>
      Effect.as(Effect.logError("a network camera is left out: its URL breaks a rule", { name: rest.name, rule }), [])
    )
  )
