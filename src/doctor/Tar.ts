/** A file in an archive. */
export interface ArchiveFile {
  readonly name: string
  readonly bytes: Uint8Array
}

const block = 512
const encoder = new TextEncoder()

export const textEntry = (name: string, text: string): ArchiveFile => ({ name, bytes: encoder.encode(text) })

const octal = (value: number, digits: number): string => `${value.toString(8).padStart(digits, "0")}\0`

/** Where a header has its parts, and how long they are. */
const parts = { name: [0, 100], bytes: [124, 12], sum: [148, 8], kind: [156, 1], magic: [257, 5] } as const
/** counted with spaces in its own place */
const sumOf = (header: Uint8Array): number =>
  header.reduce((total, byte, i) => total + (i >= parts.sum[0] && i < parts.sum[0] + parts.sum[1] ? 32 : byte), 0)

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
  made.set(encoder.encode(`${octal(sumOf(made), 6)} `), parts.sum[0])
  return made
}

/** What an archive of these has. Pure. */
export const tarBytes = (entries: ReadonlyArray<ArchiveFile>): number =>
  entries.reduce((sum, { bytes }) => sum + block + Math.ceil(bytes.length / block) * block, 2 * block)

/** A tar archive of these, all of this age (epoch seconds). Names are ASCII, of 100 characters at most. Pure. */
export const tar = (entries: ReadonlyArray<ArchiveFile>, seconds: number): Uint8Array => {
  const pieces = entries.flatMap(({ bytes, name }) => [
    header(name, bytes.length, seconds),
    bytes,
    new Uint8Array((block - (bytes.length % block)) % block)
  ])
  // two empty blocks are the end
  return new Uint8Array(Buffer.concat([...pieces, new Uint8Array(2 * block)]))
}

/** Of octal digits alone, else NaN: a size below 0 would lead back. */
const numberIn = (text: string): number => (/^[0-7]+$/.test(text) ? Number.parseInt(text, 8) : Number.NaN)

/** What is in an archive that `tar` has made; undefined: it is none, or not whole. Pure. */
export const untar = (archive: Uint8Array): ReadonlyArray<ArchiveFile> | undefined => {
  const entries: Array<ArchiveFile> = []
  for (let at = 0; at + block <= archive.length;) {
    const head = archive.subarray(at, at + block)
    if (head.every((byte) => byte === 0)) return entries
    const text = (part: keyof typeof parts): string => {
      const [from, length] = parts[part]
      return new TextDecoder("latin1").decode(head.subarray(from, from + length)).split("\0")[0] ?? ""
    }
    const bytes = numberIn(text("bytes"))
    const isFile = text("magic") === "ustar" && text("kind") === "0"
    const begins = at + block
    if (!isFile || numberIn(text("sum")) !== sumOf(head) || !(begins + bytes <= archive.length)) return undefined
    entries.push({ name: text("name"), bytes: archive.subarray(begins, begins + bytes) })
    at = begins + Math.ceil(bytes / block) * block
  }
  return undefined
}
