/** A file in an archive. */
export interface Entry {
  readonly name: string
  readonly text: string
}

const block = 512
const encoder = new TextEncoder()

const octal = (value: number, digits: number): string => `${value.toString(8).padStart(digits, "0")}\0`

/** The header of a file of nobody's (0600), in the format of POSIX.1-1988 (ustar). */
const header = (name: string, bytes: number, seconds: number): Uint8Array => {
  const fields = [
    name.padEnd(100, "\0"),
    octal(0o600, 7),
    octal(0, 7),
    octal(0, 7),
    octal(bytes, 11),
    octal(seconds, 11),
    " ".repeat(8),
    "0",
    "\0".repeat(100),
    "ustar\0",
    "00"
  ]
  const made = new Uint8Array(block)
  made.set(encoder.encode(fields.join("")))
  const sum = made.reduce((total, byte) => total + byte, 0)
  made.set(encoder.encode(`${octal(sum, 6)} `), 148)
  return made
}

/** A tar archive of these, all of this age (epoch seconds). Names are ASCII, of 100 characters at most. Pure. */
export const tar = (entries: ReadonlyArray<Entry>, seconds: number): Uint8Array => {
  const parts = entries.flatMap(({ name, text }) => {
    const bytes = encoder.encode(text)
    return [header(name, bytes.length, seconds), bytes, new Uint8Array((block - (bytes.length % block)) % block)]
  })
  // two empty blocks are the end
  return new Uint8Array(Buffer.concat([...parts, new Uint8Array(2 * block)]))
}
