/**
 * The `id` of a JSON-RPC message as it was written, so that it goes back byte for byte: `1.0`, `1e3` or
 * `12345678901234567890` would not survive JSON.parse. One linear scan; the text has passed JSON.parse before.
 */

/** The raw text of the `id` of the one object that `text` is; undefined when it has none. */
export const rawId = (text: string): string | undefined => {
  const scan = new Scan(text)
  return scan.object()
}

/** The raw `id` of each entry of the array that `text` is; undefined for an entry that is no object or has none. */
export const rawIds = (text: string): ReadonlyArray<string | undefined> => {
  const scan = new Scan(text)
  return scan.array()
}

const QUOTE = 0x22
const BACKSLASH = 0x5c
const OPEN_OBJECT = 0x7b
const CLOSE_OBJECT = 0x7d
const OPEN_ARRAY = 0x5b
const CLOSE_ARRAY = 0x5d
const COMMA = 0x2c

class Scan {
  private readonly text: string
  private at = 0

  constructor(text: string) {
    this.text = text
  }

  /** reads the object that comes next and gives its `id`; the last of several wins, as in JSON.parse */
  object(): string | undefined {
    let id: string | undefined
    this.skipSpace()
    this.at++
    for (;;) {
      this.skipSpace()
      if (this.text.charCodeAt(this.at) === CLOSE_OBJECT) break
      const keyStart = this.at
      this.skipString()
      const isId = keyIsId(this.text, keyStart, this.at)
      this.skipSpace()
      this.at++ // the colon
      this.skipSpace()
      const valueStart = this.at
      this.skipValue()
      if (isId) id = this.text.slice(valueStart, this.at)
      this.skipSpace()
      if (this.text.charCodeAt(this.at) !== COMMA) break
      this.at++
    }
    this.at++
    return id
  }

  array(): ReadonlyArray<string | undefined> {
    const ids: Array<string | undefined> = []
    this.skipSpace()
    this.at++
    for (;;) {
      this.skipSpace()
      const code = this.text.charCodeAt(this.at)
      if (code === CLOSE_ARRAY) return ids
      if (code === OPEN_OBJECT) ids.push(this.object())
      else {
        this.skipValue()
        ids.push(undefined)
      }
      this.skipSpace()
      if (this.text.charCodeAt(this.at) !== COMMA) return ids
      this.at++
    }
  }

  private skipSpace(): void {
    // JSON's white space: space, tab, line feed, carriage return (RFC 8259, section 2); all other text is above them
    while (this.text.charCodeAt(this.at) <= 0x20) this.at++
  }

  private skipString(): void {
    let quote = this.at
    for (;;) {
      quote = this.text.indexOf('"', quote + 1)
      let before = quote - 1
      while (this.text.charCodeAt(before) === BACKSLASH) before--
      // an even number of backslashes: they escape one another, not the quote
      if ((quote - 1 - before) % 2 === 0) break
    }
    this.at = quote + 1
  }

  /** goes behind the value that starts here; not recursive, so that depth costs no stack */
  private skipValue(): void {
    let depth = 0
    do {
      const code = this.text.charCodeAt(this.at)
      if (code === QUOTE) this.skipString()
      else if (code === OPEN_OBJECT || code === OPEN_ARRAY) {
        depth++
        this.at++
      } else if (code === CLOSE_OBJECT || code === CLOSE_ARRAY) {
        depth--
        this.at++
      } else if (depth > 0) this.at++
      else this.skipPrimitive()
    } while (depth > 0)
  }

  private skipPrimitive(): void {
    for (; this.at < this.text.length; this.at++) {
      const code = this.text.charCodeAt(this.at)
      if (code === COMMA || code === CLOSE_OBJECT || code === CLOSE_ARRAY || code <= 0x20) return
    }
  }
}

/** whether the quoted key between these positions is `id`, also when it is written with escapes */
const keyIsId = (text: string, start: number, end: number): boolean => {
  const length = end - start
  if (length === 4) return text.startsWith("id", start + 1)
  // "\u0069d" and the like: 9 or 14 characters with their quotes
  if (length !== 9 && length !== 14) return false
  const key = text.slice(start, end)
  return key.includes("\\") && JSON.parse(key) === "id"
}
