import * as Effect from "effect/Effect"
import * as Predicate from "effect/Predicate"
import { resolve } from "node:path"
import { Disk } from "../ground/Disk.ts"
import { BadConfiguration, type Problem } from "./BadConfiguration.ts"
import { type KeyEntry, readDocument } from "./Document.ts"
import { accepts, type Key, keys, prefix, sections, shown } from "./Keys.ts"
import { nearest } from "./Nearest.ts"
import { collisions } from "./Ports.ts"
import type { Boot } from "./BootSettings.ts"
import type { Live } from "./LiveSettings.ts"
import { type KeyReport, reportOf, type ValueSource, valuesOf } from "./Report.ts"
import { decodeRecord } from "./Settings.ts"

/** Where a configuration comes from. */
export interface Origin {
  /** the YAML file's absolute path */
  readonly file: string | undefined
  readonly environment: Readonly<Record<string, string | undefined>>
}

export const originOf = (
  file: string | undefined,
  environment: Readonly<Record<string, string | undefined>>
): Origin => ({ file: file === undefined ? undefined : resolve(file), environment })

/** A configuration that keeps all rules. */
export interface Configuration {
  readonly boot: Boot
  readonly live: Live
  /** every key's, as a file has it: secrets too */
  readonly values: ReadonlyMap<string, unknown>
  readonly report: ReadonlyArray<KeyReport>
  /** of variables that are no keys */
  readonly warnings: ReadonlyArray<string>
}

interface Given {
  readonly value: unknown
  readonly source: ValueSource
  readonly place: string
}

/** Names under the prefix that are not keys of the record. */
const otherVariables = new Set([`${prefix}CONFIG`])

/** Text that is the number or the truth that it looks like. */
const plain = (text: string): ReadonlyArray<unknown> => [
  ...(text.trim() !== "" && Number.isFinite(Number(text)) ? [Number(text)] : []),
  ...(text === "true" || text === "false" ? [text === "true"] : [])
]

/** An environment variable is text: the first reading of it that its key accepts is what was meant. */
const readings = (text: string): ReadonlyArray<unknown> => [
  text,
  ...plain(text),
  text === "" ? [] : text.split(",").map((item) => item.trim())
]

/** YAML's own types are the usual trouble: what would have been right is said. */
const brokenRule = (key: Key, value: unknown): string => {
  const rule = `must be ${key.rule}`
  if (value === null) return `${rule}; without a value the key has to go`
  if (typeof value === "string" && plain(value).some((one) => accepts(key, one))) return `${rule}, without quotes`
  if (typeof value !== "string" && !Predicate.isObject(value) && accepts(key, String(value)))
    return `${rule}, in quotes`
  return accepts(key, [value]) ? `${rule}, in brackets: [ … ]` : rule
}

const unknownKey = (key: string): string => {
  if (keys.some((known) => known.key === key)) return `there is no such key here: it stands below ${key.split(".")[0]}:`
  const near = nearest(key, [...sections, ...keys.map((known) => known.key)])
  return `there is no such key${near === undefined ? "" : `; meant: ${near}?`}`
}

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

/** A configuration's file text, where there is a file, with the environment over it, then the defaults. */
export const configurationOf = Effect.fnUntraced(function* (text: string | undefined, { environment, file }: Origin) {
  const problems: Array<Problem> = []
  const warnings: Array<string> = []
  const given = new Map<string, Given>()
  const take = (known: Key, value: unknown, source: ValueSource, place: string) =>
    given.set(known.key, { value, source, place })

  const takeEntry = ({ path, place, value }: KeyEntry) => {
    const key = path.join(".")
    const known = keys.find((candidate) => candidate.key === key && path.length > 1 === key.includes("."))
    // in a wrong place the value may be a secret
    if (known === undefined) problems.push({ key, value: "", rule: unknownKey(key), place })
    else if (accepts(known, value)) take(known, value, "file", place)
    else problems.push({ key, value: shown(key, value), rule: brokenRule(known, value), place })
  }
  if (text !== undefined) {
    const read = yield* readDocument(text, file ?? "")
    problems.push(...read.problems)
    read.entries.forEach(takeEntry)
  }

  for (const [name, said] of Object.entries(environment)) {
    if (said === undefined || !name.startsWith(prefix) || otherVariables.has(name)) continue
    const known = keys.find((candidate) => candidate.environment === name)
    const value = known && readings(said).find((reading) => accepts(known, reading))
    if (known === undefined) warnings.push(warningOf(name))
    else if (value !== undefined) take(known, value, "environment", name)
    else problems.push({ key: known.key, value: shown(known.key, said), rule: `must be ${known.rule}`, place: name })
  }

  const record: Record<string, unknown> = {}
  for (const [key, { value }] of given) {
    const [section = "", inner] = key.split(".")
    record[section] = inner === undefined ? value : { ...(record[section] as object | undefined), [inner]: value }
  }
  const { boot, live } = yield* Effect.orDie(decodeRecord(record))
  for (const { key, other, port } of collisions(boot)) {
    const rule = `must be a port of its own: ${other} has this one`
    problems.push({ key, value: String(port), rule, place: (given.get(key) ?? given.get(other))?.place ?? "" })
  }
  const halves = ["tls.certificate_file", "tls.key_file"]
  const [half, ...others] = halves.filter((key) => (given.get(key)?.value ?? "") !== "")
  if (half !== undefined && others.length === 0) {
    const { place = "", value } = given.get(half) ?? {}
    const rule = `must be set together with ${halves.find((key) => key !== half)}`
    problems.push({ key: half, value: shown(half, value), rule, place })
  }
  if (problems.length > 0) return yield* new BadConfiguration({ problems })

  const values = valuesOf({ boot, live })
  const report = reportOf(values, (key) => given.get(key)?.source ?? "default")
  return { boot, live, values, report, warnings } satisfies Configuration as Configuration
})

/**
 * A configuration has some kilobytes. What has more was put in its place by mistake, such as a log: of one with 150,000
 * lines `key: value` the event loop would stand still for minutes.
 */
export const mostBytes = 64 << 10
export const tooLarge = `it has more than ${mostBytes >> 10} KiB`

/** The configuration as it is there now, and its file's text; refused whole when any key is wrong. */
export const load = Effect.fn("Settings.load")(function* (from: Origin) {
  const { file } = from
  if (file === undefined) return { text: undefined, configuration: yield* configurationOf(undefined, from) }
  const disk = yield* Disk
  const unreadable = (why: string) =>
    new BadConfiguration({ problems: [{ key: "", value: "", rule: `cannot be read (${why})`, place: file }] })
  const text = yield* Effect.mapError(disk.text(file), ({ code }) =>
    unreadable(code === "EACCES" ? `${code}: run this as root, or as the service's user` : code)
  )
  if (text.length > mostBytes) return yield* unreadable(tooLarge)
  return { text, configuration: yield* configurationOf(text, from) }
})
