/** How a tag's bytes are read; undefined: they are none of it, or say that there is no value. */
export type ReadValue<A> = (value: Buffer) => A | undefined

/** As many decimals as a value is exact to, and one more: a double would write a dozen that mean nothing. */
const roundedTo = (step: number): ((value: number) => number) => {
  const factor = 10 ** Math.max(0, Math.ceil(-Math.log10(step)) + 1)
  return (value) => Math.round(value * factor) / factor
}

/** Whole numbers of so many bytes. */
export const whole =
  (bytes: 1 | 2): ReadValue<number> =>
  (value) =>
    value.length === bytes ? value.readUIntBE(0, bytes) : undefined

/** From `low` to `high` in equal steps. */
export const unsigned = (bytes: 2 | 4, low: number, high: number): ReadValue<number> => {
  const step = (high - low) / (2 ** (8 * bytes) - 1)
  const rounded = roundedTo(step)
  return (value) => (value.length === bytes ? rounded(low + value.readUIntBE(0, bytes) * step) : undefined)
}

/** From `-limit` to `limit` in equal steps; the lowest number says that there is no value. */
export const signed = (bytes: 2 | 4, limit: number): ReadValue<number> => {
  const most = 2 ** (8 * bytes - 1) - 1
  const step = limit / most
  const rounded = roundedTo(step)
  return (value) => {
    if (value.length !== bytes) return undefined
    const number = value.readIntBE(0, bytes)
    return number < -most ? undefined : rounded(number * step)
  }
}

/** A floating point number as an integer of any length (MISB ST 1201, IMAPB). */
export const mapped =
  (low: number, high: number): ReadValue<number> =>
  (value) => {
    // 6 bytes are what a double holds
    if (value.length === 0 || value.length > 6) return undefined
    const number = value.readUIntBE(0, value.length)
    const bits = 8 * value.length - 1
    // above it are infinities and what is no number
    if (number > 2 ** bits) return undefined
    const step = 2 ** (Math.ceil(Math.log2(high - low)) - bits)
    const offset = low < 0 && high > 0 ? low / step - Math.floor(low / step) : 0
    const mappedTo = step * (number - offset) + low
    return mappedTo >= low && mappedTo <= high ? roundedTo(step)(mappedTo) : undefined
  }

/** Of the longest text that a tag may have. */
const maxText = 127

const isMeant = (character: string): boolean => character >= " " && character !== "\u007f"

const cleaned = (given: string): string => Array.from(given).filter(isMeant).join("").trim()

/** UTF-8, or the part of it that ISO 646 is, without control characters. */
export const text: ReadValue<string> = (value) =>
  value.length <= maxText ? cleaned(value.toString("utf8")) : undefined

/** UTF-16, as ST 0102 has it for the countries that are shown; and in one byte each, as many write it. */
export const wideText: ReadValue<string> = (value) => {
  if (value.length > 2 * maxText) return undefined
  if (value.length % 2 === 1 || !value.includes(0)) return text(value)
  return cleaned(Buffer.from(value).swap16().toString("utf16le"))
}

export const hex: ReadValue<string> = (value) => (value.length <= maxText ? value.toString("hex") : undefined)
