import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { cutOut } from "./XmlParts.ts"

/** What somebody in the network sent is no XML that is read here; `detail` says why, in words of ours alone. */
export class BadXml extends Schema.TaggedError<BadXml>()("BadXml", { detail: Schema.String }) {}

/** One element, its name and those of its attributes without prefix: cameras mix up prefixes more often than names. */
export interface Element {
  readonly name: string
  readonly attributes: Readonly<Record<string, string>>
  /** the text that stands in it itself, trimmed */
  readonly text: string
  readonly children: ReadonlyArray<Element>
}

/** The document's outermost element. */
export type ReadXml = (text: string) => Effect.Effect<Element, BadXml>

/** Bytes, as UTF-8, that a document may have. */
export const maxXmlBytes = 256 * 1024
/** So many tags, and so many attributes: they are what takes time, about 15 ms of the event loop where all are there. */
const maxMarks = 2048
/** What there may be many of, each with so much in it: they are read one by one. */
const manyOf = "Profiles"
const maxParts = 256
/** Elements inside elements; ONVIF's go to about 12. */
const maxDepth = 64

/** Loads the parser, which only those need who ask cameras of a network. */
export const loadXml: Effect.Effect<ReadXml> = Effect.map(
  Effect.promise(() => import("fast-xml-parser")),
  ({ XMLParser }) => {
    const parser = new XMLParser({
      preserveOrder: true,
      ignoreAttributes: false,
      attributeNamePrefix: "",
      removeNSPrefix: true,
      cdataPropName: cdata,
      parseTagValue: false,
      parseAttributeValue: false,
      // none is replaced by what a document declares; those of XML itself are replaced here
      processEntities: false,
      ignoreDeclaration: true,
      ignorePiTags: true,
      maxNestedTags: maxDepth,
      // a fifth of the time
      jPath: false
    })
    const readOne = Effect.fnUntraced(function* (text: string) {
      const why = whyRefused(text)
      if (why !== undefined) return yield* new BadXml({ detail: why })
      const nodes = yield* Effect.try({
        try: (): unknown => parser.parse(text),
        catch: () => new BadXml({ detail: "it is not well-formed" })
      })
      const [root] = elementsOf(nodes)
      return root ?? (yield* new BadXml({ detail: "it has no element" }))
    })

    return Effect.fnUntraced(function* (text: string) {
      if (text.length > maxXmlBytes || !marks.some((mark) => isMany(text, mark))) return yield* readOne(text)
      const { parts, rest } = cutOut(text, manyOf)
      if (parts.length > maxParts) return yield* new BadXml({ detail: tooMany })
      const whole = yield* readOne(rest)
      // others have their turn in between
      const read = yield* Effect.forEach(parts, (part) => Effect.andThen(Effect.yieldNow, readOne(part)))
      return withParts(whole, read.values())
    })
  }
)

const tooMany = "it has too many tags or attributes"

/** With the next of them in the place of each element that stands for one. */
const withParts = (element: Element, parts: Iterator<Element>): Element =>
  element.name === manyOf
    ? (parts.next().value ?? element)
    : { ...element, children: element.children.map((child) => withParts(child, parts)) }

const whyRefused = (text: string): string | undefined => {
  // UTF-8 has a byte a character or more
  if (text.length > maxXmlBytes) return `it is longer than ${maxXmlBytes} bytes`
  if (/<!(?:DOCTYPE|ENTITY|ELEMENT|ATTLIST|NOTATION)/i.test(text)) return "it declares a document type"
  if (!/>\s*$/.test(text.slice(-64))) return "it ends in the middle"
  if (marks.some((mark) => isMany(text, mark))) return tooMany
  return undefined
}

/**
 * Of tags, of attributes, and of those without a value: what stands behind white space, wherever, for where a tag ends only
 * a parser knows.
 */
const marks = [/</g, /=/g, /\s[^\s<]/g]

const isMany = (text: string, mark: RegExp): boolean => {
  let found = 0
  for (const _ of text.matchAll(mark)) if (++found > maxMarks) return true
  return false
}

const cdata = "#cdata"
const text = "#text"
const attributes = ":@"

/** The parser's nodes are objects with one key, the element's name, beside that of its attributes. */
const elementsOf = (nodes: unknown): ReadonlyArray<Element> =>
  listOf(nodes).flatMap((node) => {
    const name = Object.keys(node).find((key) => key !== attributes)
    if (name === undefined || name === text || name === cdata) return []
    const inner = listOf(node[name])
    return [{ name, attributes: attributesOf(node[attributes]), text: textOf(inner), children: elementsOf(inner) }]
  })

const listOf = (nodes: unknown): ReadonlyArray<Readonly<Record<string, unknown>>> => (Array.isArray(nodes) ? nodes : [])

const attributesOf = (given: unknown): Readonly<Record<string, string>> =>
  Object.fromEntries(Object.entries(given ?? {}).map(([name, value]) => [name, decodeEntities(String(value))]))

const textOf = (nodes: ReadonlyArray<Readonly<Record<string, unknown>>>): string =>
  nodes
    .map((node) => {
      if (typeof node[text] === "string") return decodeEntities(node[text])
      // character data is an element of the parser's with a text in it
      return listOf(node[cdata])
        .map((part) => String(part[text] ?? ""))
        .join("")
    })
    .join("")
    .trim()

const predefined: Readonly<Record<string, string>> = { lt: "<", gt: ">", amp: "&", quot: '"', apos: "'" }
const maxCodePoint = 0x10_ff_ff

/** The five entities of XML itself (section 4.6) and numbers of characters; whatever else there is stays as it stands. */
const decodeEntities = (raw: string): string =>
  raw.includes("&")
    ? raw.replace(/&(?:#x([0-9a-f]{1,6})|#([0-9]{1,7})|([a-z]{2,4}));/giu, (whole, hex, decimal, name) => {
        if (name !== undefined) return predefined[name] ?? whole
        const code = hex === undefined ? Number(decimal) : Number.parseInt(hex, 16)
        return code > 0 && code <= maxCodePoint ? String.fromCodePoint(code) : whole
      })
    : raw

/** A text as it stands in a document of ours, also in an attribute. */
export const escapeXml = (raw: string): string => raw.replace(/[<>&"']/g, (mark) => `&#${mark.charCodeAt(0)};`)

/** The first element that this way leads to, each step a child's name. */
export const at = (element: Element | undefined, ...way: ReadonlyArray<string>): Element | undefined => {
  let here = element
  for (const step of way) here = here?.children.find(({ name }) => name === step)
  return here
}

/** All children of this name. */
export const allOf = (element: Element | undefined, name: string): ReadonlyArray<Element> =>
  element?.children.filter((child) => child.name === name) ?? []

/** The text that this way leads to, one line of so many characters at most; undefined where there is none. */
export const textAt = (element: Element | undefined, ...way: ReadonlyArray<string>): string | undefined => {
  const found = at(element, ...way)?.text
  return found === undefined || found === "" ? undefined : shown(found)
}

const maxText = 2048

/** What a device says of itself goes into lists and logs: no control characters, no end of a line, no endless text. */
const shown = (raw: string): string =>
  raw
    .slice(0, maxText)
    .replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]+/gu, " ")
    .trim()

/** The whole number that this way leads to. */
export const numberAt = (element: Element | undefined, ...way: ReadonlyArray<string>): number | undefined => {
  const found = textAt(element, ...way)
  return found !== undefined && /^-?\d{1,9}(?:\.\d+)?$/.test(found) ? Math.round(Number(found)) : undefined
}
