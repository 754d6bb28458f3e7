import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Predicate from "effect/Predicate"
import * as Schema from "effect/Schema"
import { readFile } from "node:fs/promises"
import { nearest } from "./Nearest.ts"
import { bootSchema, liveNow, liveSchema, makeSettings, sections } from "./Settings.ts"

/** The configuration breaks rules; the message names every wrong key, its value and its rule. Exit status 78. */
class BadConfiguration extends Schema.TaggedError<BadConfiguration>()("BadConfiguration", {
  problems: Schema.Array(Schema.Struct({ key: Schema.String, value: Schema.String, rule: Schema.String }))
}) {
  override get message(): string {
    const lines = this.problems.map((p) => `  ${p.key}: ${p.value === "" ? "" : `${p.value}: `}${p.rule}`)
    return `the configuration is refused:\n${lines.join("\n")}`
  }
}

/** When a new value takes effect. */
type Changes = "at the start" | "while it runs"

/** One key as it is in force; `value` is "***" for a secret. */
export interface KeyReport {
  readonly key: string
  readonly value: string
  readonly source: "default" | "file" | "environment"
  readonly changes: Changes
  readonly rule: string
  readonly meaning: string
}

interface Leaf {
  readonly key: string
  readonly environment: string
  readonly changes: Changes
  readonly rule: string
  readonly meaning: string
  readonly schema: Schema.Top
}

const prefix = "CAMERA_SERVICE_"
const secretKeys = new Set(["auth.jwt_secret"])
/** Names under the prefix that are not keys of the record. */
const otherVariables = new Set([`${prefix}CONFIG`])

const leaf = (key: string, schema: Schema.Top, changes: Changes): Leaf => {
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

const leavesOf = ({ fields }: typeof bootSchema | typeof liveSchema, changes: Changes): ReadonlyArray<Leaf> =>
  Object.entries(fields).flatMap(([name, field]) =>
    "fields" in field
      ? Object.entries<Schema.Top>(field.fields).map(([inner, schema]) => leaf(`${name}.${inner}`, schema, changes))
      : [leaf(name, field, changes)]
  )

const sectionOf = ({ key }: Leaf): string => key.split(".")[0] ?? ""
const places = [...Object.keys(bootSchema.fields), ...Object.keys(liveSchema.fields)]

/** Every key there is, section by section. */
export const keys: ReadonlyArray<Leaf> = [
  ...leavesOf(bootSchema, "at the start"),
  ...leavesOf(liveSchema, "while it runs")
].sort((a, b) => places.indexOf(sectionOf(a)) - places.indexOf(sectionOf(b)))

const show = (key: string, value: unknown): string =>
  secretKeys.has(key) ? (value === "" ? '""' : "***") : JSON.stringify(value)

/** An environment variable is text: the first reading of it that its key's schema accepts is what was meant. */
const readings = (text: string): ReadonlyArray<unknown> => [
  text,
  ...(text.trim() !== "" && Number.isFinite(Number(text)) ? [Number(text)] : []),
  ...(text === "true" || text === "false" ? [text === "true"] : []),
  text === "" ? [] : text.split(",").map((item) => item.trim())
]

const decodes = (schema: Schema.Top, value: unknown): boolean =>
  Exit.isSuccess(Schema.decodeExit(Schema.Struct({ value: schema as Schema.Codec<unknown> }))({ value }))

const flatten = (document: unknown): ReadonlyArray<readonly [string, unknown]> => {
  if (document === null || document === undefined) return []
  if (!Predicate.isObject(document)) return [["", document]]
  return Object.entries(document).flatMap(([name, value]) =>
    sections.has(name) && Predicate.isObject(value)
      ? Object.entries(value).map(([inner, leafValue]) => [`${name}.${inner}`, leafValue] as const)
      : [[name, value] as const]
  )
}

const readDocument = Effect.fnUntraced(function* (file: string) {
  const refuse = (rule: string) => new BadConfiguration({ problems: [{ key: file, value: "", rule }] })
  const text = yield* Effect.tryPromise({
    try: () => readFile(file, "utf8"),
    catch: (cause) => refuse(`cannot be read (${Predicate.isError(cause) ? cause.message : String(cause)})`)
  })
  // loaded only where a file is: a box without one does not pay for the parser
  return yield* Effect.tryPromise({
    try: async () => (await import("yaml")).parse(text) as unknown,
    catch: (cause) => refuse(`is not YAML (${Predicate.isError(cause) ? cause.message : String(cause)})`)
  })
})

/** The environment's variables that hold secrets: whoever reads them takes them away, so that no child inherits them. */
export const secretVariables: ReadonlyArray<string> = keys
  .filter(({ key }) => secretKeys.has(key))
  .map(({ environment }) => environment)

/**
 * A variable under our prefix that is no key's. Others set such: Kubernetes tells each container of a service `camera` in
 * `CAMERA_SERVICE_HOST`. So the start goes on; the value, which may be a secret in the wrong place, is not told.
 */
const warningOf = (name: string): string => {
  const near = nearest(
    name.slice(prefix.length),
    keys.map(({ environment }) => environment.slice(prefix.length))
  )
  return `${name} is no key of the configuration and changes nothing${near === undefined ? "" : `; meant: ${prefix}${near}?`}`
}

/**
 * Reads the file (where there is one), then the environment over it, then the defaults; refuses the whole when any key is
 * wrong. `warnings` tell of variables that are no keys.
 */
export const load = Effect.fn("Settings.load")(function* (options: {
  readonly file: string | undefined
  readonly environment: Readonly<Record<string, string | undefined>>
}) {
  const problems: Array<{ key: string; value: string; rule: string }> = []
  const warnings: Array<string> = []
  const given = new Map<string, { readonly value: unknown; readonly source: "file" | "environment" }>()

  const document = options.file === undefined ? undefined : yield* readDocument(options.file)
  for (const [key, value] of flatten(document)) {
    const known = keys.find((candidate) => candidate.key === key)
    if (known === undefined) {
      problems.push({
        key: key === "" ? (options.file ?? "") : key,
        value: show(key, value),
        rule: "there is no such key"
      })
    } else if (!decodes(known.schema, value)) {
      problems.push({ key, value: show(key, value), rule: `must be ${known.rule}` })
    } else {
      given.set(key, { value, source: "file" })
    }
  }

  for (const [name, text] of Object.entries(options.environment)) {
    if (text === undefined || !name.startsWith(prefix) || otherVariables.has(name)) continue
    const known = keys.find((candidate) => candidate.environment === name)
    const value = known && readings(text).find((reading) => decodes(known.schema, reading))
    if (known === undefined) {
      warnings.push(warningOf(name))
    } else if (value === undefined) {
      problems.push({ key: `${known.key} (${name})`, value: show(known.key, text), rule: `must be ${known.rule}` })
    } else {
      given.set(known.key, { value, source: "environment" })
    }
  }

  if (problems.length > 0) return yield* new BadConfiguration({ problems })

  const record: Record<string, unknown> = {}
  for (const [key, { value }] of given) {
    const [section = "", inner] = key.split(".")
    record[section] = inner === undefined ? value : { ...(record[section] as object | undefined), [inner]: value }
  }
  const settings = yield* Effect.orDie(makeSettings(record))
  const inForce = new Map([
    ...flatten(yield* Effect.orDie(Schema.encodeEffect(bootSchema)(settings.boot))),
    ...flatten(yield* Effect.orDie(Schema.encodeEffect(liveSchema)(liveNow(settings))))
  ])
  const report = keys.map(({ changes, key, meaning, rule }): KeyReport => {
    const source = given.get(key)?.source ?? "default"
    return { key, value: show(key, inForce.get(key)), source, changes, rule, meaning }
  })
  return { settings, report, warnings }
})
