import type { TelemetrySecurity } from "../../../schema/Telemetry.ts"
import type { KlvFlaw } from "./Ber.ts"
import { itemsOf } from "./LocalSet.ts"
import { type ReadValue, text, whole, wideText } from "./Values.ts"

/** The security local set of MISB ST 0102, as ST 0601 carries it. */

const classifications = ["UNCLASSIFIED", "RESTRICTED", "CONFIDENTIAL", "SECRET", "TOP SECRET"] as const

type Name = keyof TelemetrySecurity

interface Entry {
  readonly name: Name
  readonly read: ReadValue<string | number>
}

/** What its tags say, by tag: those that ST 0902 asks for. */
const table: ReadonlyMap<number, Entry> = new Map<number, Entry>([
  [1, { name: "classification", read: (value) => classifications[(whole(1)(value) ?? 0) - 1] }],
  [2, { name: "country_coding_method", read: whole(1) }],
  [3, { name: "classifying_country", read: text }],
  [4, { name: "sci_shi_information", read: text }],
  [5, { name: "caveats", read: text }],
  [6, { name: "releasing_instructions", read: text }],
  [12, { name: "object_country_coding_method", read: whole(1) }],
  [13, { name: "object_country_codes", read: wideText }],
  [22, { name: "version", read: whole(2) }]
])

export const readSecurity = (set: Buffer): TelemetrySecurity | KlvFlaw => {
  const items = itemsOf(set)
  if (typeof items === "string") return items
  const security: Partial<Record<Name, string | number>> = {}
  for (const { tag, value } of items) {
    const entry = table.get(tag)
    const read = value.length === 0 ? undefined : entry?.read(value)
    if (entry !== undefined && read !== undefined) security[entry.name] = read
  }
  return security as TelemetrySecurity
}
