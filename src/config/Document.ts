import * as Effect from "effect/Effect"
import type { Document, Pair } from "yaml"
import type { Problem } from "./BadConfiguration.ts"
import { sections } from "./Keys.ts"

/** What a file says of one key, known or not. */
export interface KeyEntry {
  /** section and name, or a name alone */
  readonly path: ReadonlyArray<string>
  readonly value: unknown
  readonly place: string
}

export interface Read {
  readonly entries: ReadonlyArray<KeyEntry>
  readonly problems: ReadonlyArray<Problem>
}

type Yaml = typeof import("yaml")

/** The keys in a YAML text and where they stand, section by section; and what is no YAML, or has another shape. */
export const readDocument = (text: string, file: string): Effect.Effect<Read> =>
  // loaded only where a file is: a box without one does not pay for the parser
  Effect.map(
    Effect.promise(() => import("yaml")),
    (yaml) => read(yaml, text, file)
  )

const read = (yaml: Yaml, text: string, file: string): Read => {
  const entries: Array<KeyEntry> = []
  const problems: Array<Problem> = []
  const lines = new yaml.LineCounter()
  const placeOf = (offset: number): string => {
    const { col, line } = lines.linePos(offset)
    return `${file}:${line}:${col}`
  }
  const refuse = (place: string, key: string, rule: string) => problems.push({ key, value: "", rule, place })

  // an alias of an alias of an alias …: `toJS` refuses more than so many
  const document = yaml.parseDocument(text, { lineCounter: lines, prettyErrors: false })
  for (const { code, message, pos } of [...document.errors, ...document.warnings]) {
    const why =
      code === "DUPLICATE_KEY"
        ? "this key was there before: put all that is its own under one"
        : withoutContent(message)
    refuse(placeOf(pos[0]), "", `is not YAML that is understood here: ${why}`)
  }
  if (problems.length > 0) return { entries, problems }

  const contents = resolved(yaml, document, document.contents)
  if (isNothing(yaml, contents)) return { entries, problems }
  if (!yaml.isMap(contents)) {
    refuse(placeOf(0), "", "must be keys with their values, such as server: { port: 8002 }")
    return { entries, problems }
  }

  const nameOf = ({ key }: Pair): string => (yaml.isScalar(key) ? String(key.value) : "?")
  const placeOfPair = ({ key }: Pair): string => placeOf(yaml.isNode(key) ? (key.range?.[0] ?? 0) : 0)
  const add = (pair: Pair, before: ReadonlyArray<string>) => {
    const path = [...before, nameOf(pair)]
    const place = placeOfPair(pair)
    try {
      const value: unknown = yaml.isNode(pair.value) ? pair.value.toJS(document) : pair.value
      entries.push({ path, value, place })
    } catch {
      refuse(place, path.join("."), "is not YAML that is understood here: an alias leads nowhere, or too far")
    }
  }
  for (const pair of contents.items) {
    const name = nameOf(pair)
    const section = sections.has(name) ? resolved(yaml, document, pair.value) : undefined
    if (section === undefined) add(pair, [])
    else if (yaml.isMap(section)) for (const inner of section.items) add(inner, [name])
    else if (!isNothing(yaml, section)) {
      refuse(placeOfPair(pair), name, "must be a section: keys with their values below it, or nothing")
    }
  }
  return { entries, problems }
}

/** What a node is, or stands for; an alias that stands for nothing is what it is. */
const resolved = (yaml: Yaml, document: Document, node: unknown): unknown =>
  (yaml.isAlias(node) ? node.resolve(document) : undefined) ?? node

const isNothing = (yaml: Yaml, node: unknown): boolean =>
  node === null || node === undefined || (yaml.isScalar(node) && node.value === null)

/** The parser quotes what it stumbles upon behind a colon; that may be a secret. */
const withoutContent = (message: string): string => message.split(":")[0] ?? ""
