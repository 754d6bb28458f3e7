import type { Telemetry } from "../../../schema/Telemetry.ts"
import { berLength, type KlvFlaw } from "./Ber.ts"
import { readUas } from "./St0601.ts"

/** A set is some hundred bytes; those with images or targets in them are a few thousand. */
export const maxKlvBytes = 65_536
/** Sets of several standards may stand one after the other. */
const maxSets = 16

const keyLength = 16
const anyKey = Buffer.from("060e2b34", "hex")
const uasKey = Buffer.from("060e2b34020b01010e01030101000000", "hex")

/**
 * What a unit of KLV (SMPTE ST 336) says: the last set of ST 0601 in it, or why there is none that can be read. Never
 * throws, whatever the bytes are, and takes time in proportion to their number.
 */
export const readKlv = (unit: Buffer): Telemetry | KlvFlaw => {
  if (unit.length > maxKlvBytes) return "TOO_LONG"
  let last: Telemetry | KlvFlaw = "OTHER_SET"
  let sets = 0
  for (let at = 0; at < unit.length;) {
    if (sets++ === maxSets) return "TOO_MANY_ITEMS"
    if (!anyKey.equals(unit.subarray(at, at + anyKey.length))) return "NO_UNIVERSAL_KEY"
    const length = berLength(unit, at + keyLength)
    if (typeof length === "string") return length
    const end = length.next + length.value
    if (end > unit.length) return "TRUNCATED"
    const isUas = uasKey.equals(unit.subarray(at, at + keyLength))
    if (isUas) last = readUas(unit.subarray(at, end), unit.subarray(length.next, end))
    at = end
  }
  return unit.length === 0 ? "NO_UNIVERSAL_KEY" : last
}
