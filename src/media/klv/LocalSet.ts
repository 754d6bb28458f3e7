import { berLength, berOid, type KlvFlaw } from "./Ber.ts"

/** One item of a local set. */
export interface Item {
  readonly tag: number
  readonly value: Buffer
}

/** ST 0601 has 143 tags, few of which may come twice. */
const maxItems = 256

/** The items of a local set, in their order; nothing is copied. */
export const itemsOf = (set: Buffer): ReadonlyArray<Item> | KlvFlaw => {
  const items: Array<Item> = []
  for (let at = 0; at < set.length;) {
    if (items.length === maxItems) return "TOO_MANY_ITEMS"
    const tag = berOid(set, at)
    if (typeof tag === "string") return tag
    const length = berLength(set, tag.next)
    if (typeof length === "string") return length
    const end = length.next + length.value
    if (end > set.length) return "TRUNCATED"
    items.push({ tag: tag.value, value: set.subarray(length.next, end) })
    at = end
  }
  return items
}
