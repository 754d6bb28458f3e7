import { type Message, parseHead } from "./Message.ts"

/** What one end of an RTSP connection hears. */
export interface Hearing {
  /**
   * A frame of an interleaved channel (RFC 2326, 10.12): `bytes` from `start` to `end`, with its header of four bytes. True:
   * it is one of those that `frames` is to give.
   */
  readonly frame: (channel: number, bytes: Buffer, start: number, end: number) => boolean
  /** frames that were wanted, one after the other as they came: those of a piece at once, and after its messages */
  readonly frames: (bytes: Buffer) => void
  readonly message: (message: Message) => void
}

const dollar = 0x24
const frameHead = 4
/** A head is some hundred bytes; some cameras send cookies and long realms. */
const maxHead = 16 * 1024

/** Where the empty line after a head begins and ends; both line ends are heard, as cameras send both. */
const emptyLine = (bytes: Buffer, from: number): readonly [number, number] | undefined => {
  for (let at = bytes.indexOf(0x0a, from); at !== -1; at = bytes.indexOf(0x0a, at + 1)) {
    if (bytes[at + 1] === 0x0a) return [at, at + 2]
    if (bytes[at + 1] === 0x0d && bytes[at + 2] === 0x0a) return [at, at + 3]
  }
  return undefined
}

const none: Buffer = Buffer.alloc(0)

/**
 * Takes apart what comes on one connection, piece by piece. It keeps what is not whole yet, which is never more than one
 * frame (64 KiB) or one message (80 KiB).
 */
export class Reader {
  readonly #hearing: Hearing
  /** what is not whole yet, in the pieces that it came in */
  #rest: Array<Buffer> = []
  #restLength = 0
  /** so many bytes make it whole, as far as that is known: put together and read before, it would cost that again each time */
  #least = 0

  constructor(hearing: Hearing) {
    this.#hearing = hearing
  }

  /** Gives what is wrong with what came: nothing that comes after it can be understood. */
  push(chunk: Uint8Array): string | undefined {
    const piece = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength)
    if (this.#restLength + piece.length < this.#least) {
      this.#keep(piece)
      return undefined
    }
    const bytes = this.#rest.length === 0 ? piece : Buffer.concat([...this.#rest, piece])
    this.#rest = []
    this.#restLength = 0
    this.#least = 0
    let at = 0
    /** where the frames begin that are wanted and not kept yet */
    let wanted = 0
    const runs: Array<Buffer> = []
    const keep = (end: number): void => {
      if (end > wanted) runs.push(bytes.subarray(wanted, end))
    }
    const give = (): void => {
      const [only = none] = runs
      if (runs.length > 0) this.#hearing.frames(runs.length === 1 ? only : Buffer.concat(runs))
    }
    while (at < bytes.length) {
      if (bytes[at] === dollar) {
        if (bytes.length - at < frameHead) break
        const end = at + frameHead + bytes.readUInt16BE(at + 2)
        if (end > bytes.length) {
          this.#least = end - at
          break
        }
        if (!this.#hearing.frame(bytes[at + 1] ?? 0, bytes, at, end)) {
          keep(at)
          wanted = end
        }
        at = end
        continue
      }
      keep(at)
      const end = this.#message(bytes, at)
      if (typeof end === "string") {
        give()
        return end
      }
      wanted = end ?? at
      if (end === undefined) break
      at = end
    }
    keep(at)
    give()
    if (at < bytes.length) this.#keep(bytes.subarray(at))
    return undefined
  }

  /** A copy: the piece is as large as what the kernel had, and what is left of it may be a byte. */
  #keep(piece: Buffer): void {
    this.#rest.push(Buffer.from(piece))
    this.#restLength += piece.length
  }

  /** Where the message ends that begins here; undefined: not yet; or what is wrong with it. */
  #message(bytes: Buffer, at: number): number | string | undefined {
    // some send an empty line more than they should
    if (bytes[at] === 0x0a) return at + 1
    if (bytes[at] === 0x0d) return bytes.length === at + 1 ? undefined : bytes[at + 1] === 0x0a ? at + 2 : strange
    const line = emptyLine(bytes, at)
    if (line === undefined) return bytes.length - at > maxHead ? "a message whose head has no end" : undefined
    const [head, body] = line
    if (head - at > maxHead) return "a message whose head is too long"
    const parsed = parseHead(bytes.toString("latin1", at, bytes[head - 1] === 0x0d ? head - 1 : head))
    if (parsed === undefined) return strange
    const end = body + parsed.bodyLength
    if (end > bytes.length) {
      this.#least = end - at
      return undefined
    }
    const { message } = parsed
    this.#hearing.message({ ...message, body: bytes.toString("utf8", body, end) })
    return end
  }
}

const strange = "something that is no RTSP"
