import * as Exit from "effect/Exit"
import * as Schema from "effect/Schema"
import { bootSchema } from "./BootSettings.ts"
import { liveSchema } from "./LiveSettings.ts"

/** When a new value takes effect. */
export type Changes = "at the start" | "while it runs"

/** One key of the configuration. */
export interface Key {
  readonly key: string
  /** the variable that sets it */
  readonly environment: string
  readonly changes: Changes
  readonly rule: string
  readonly meaning: string
  readonly schema: Schema.Top
}

export const prefix = "CAMERA_SERVICE_"
const secretKeys = new Set(["auth.jwt_secret", "mediamtx.auth_secret"])

const keyOf = (key: string, schema: Schema.Top, changes: Changes): Key => {
  const annotations = Schema.resolveAnnotations(schema) ?? {}
  return {
    key,
    environment: `${prefix}${key.replaceAll(".", "_").toUpperCase()}`,
    changes,
    rule: String(annotations["title"]),
    meaning: String(annotations["description"]),
    schema
  }
}

const keysOf = ({ fields }: typeof bootSchema | typeof liveSchema, changes: Changes): ReadonlyArray<Key> =>
  Object.entries(fields).flatMap(([name, field]) =>
    "fields" in field
      ? Object.entries<Schema.Top>(field.fields).map(([inner, schema]) => keyOf(`${name}.${inner}`, schema, changes))
      : [keyOf(name, field, changes)]
  )

const sectionOf = ({ key }: Key): string => key.split(".")[0] ?? ""
const places = [...Object.keys(bootSchema.fields), ...Object.keys(liveSchema.fields)]

/** Every key there is, section by section. */
export const keys: ReadonlyArray<Key> = [
  ...keysOf(bootSchema, "at the start"),
  ...keysOf(liveSchema, "while it runs")
].sort((a, b) => places.indexOf(sectionOf(a)) - places.indexOf(sectionOf(b)))

/** The names at the top of the record that stand for sections, not for keys. */
export const sections: ReadonlySet<string> = new Set(
  [bootSchema, liveSchema].flatMap(({ fields }) =>
    Object.entries(fields).flatMap(([name, field]) => ("fields" in field ? [name] : []))
  )
)

/** The environment's variables that hold secrets: whoever reads them takes them away, so that no child inherits them. */
export const secretVariables: ReadonlyArray<string> = keys
  .filter(({ key }) => secretKeys.has(key))
  .map(({ environment }) => environment)

/** What of a value may be seen: "***" stands for a secret, and for the user and the query in a URL, well-formed or not. */
export const masked = (key: string, value: unknown): unknown => {
  if (secretKeys.has(key)) return value === "" ? "" : "***"
  if (Array.isArray(value)) return value.map((one) => masked(key, one))
  if (typeof value !== "string") return value
  return value
    .replace(/(?<=:\/\/)[^\s?#]*@|^[^\s/@]+:[^\s/]*@/, "***@")
    .replace(/(?<=:\/\/\S*)[?#]\S+|[?#]\S*=\S*/, "?***")
}

const longestShown = 120

/** The same as text, in JSON's words; cut where it is very long. */
export const shown = (key: string, value: unknown): string => {
  const text = JSON.stringify(masked(key, value)) ?? ""
  return text.length > longestShown ? `${text.slice(0, longestShown)}…` : text
}

/** Whether a file may give the key this value. */
export const accepts = ({ schema }: Key, value: unknown): boolean =>
  Exit.isSuccess(Schema.decodeExit(Schema.Struct({ value: schema as Schema.Codec<unknown> }))({ value }))

/** A key's default, as a file would have it. */
export const standard = ({ schema }: Key): unknown => {
  const field = Schema.Struct({ value: schema as Schema.Codec<unknown> })
  return Schema.encodeSync(field)(Schema.decodeUnknownSync(field)({})).value
}
