import { isUtf8 } from "node:buffer"
import type { MessageLimits } from "./Visits.ts"

/** The frames of WebSocket (RFC 6455, section 5), as a server reads and writes them; no extensions. */

/** What came that is no text message. */
export type Signal =
  | { readonly _tag: "Ping"; readonly payload: Uint8Array }
  | { readonly _tag: "Pong" }
  | { readonly _tag: "Close"; readonly code: number | undefined }
  /** the client broke a rule: the connection is to be closed with this code, and cannot be read any more */
  | { readonly _tag: "Broken"; readonly code: number; readonly reason: string }

const text = 0x1
const binary = 0x2
const close = 0x8
const ping = 0x9
const pong = 0xa

const none: Buffer = Buffer.alloc(0)
const pongCame: Signal = { _tag: "Pong" }

const broken = (code: number, reason: string): Signal => ({ _tag: "Broken", code, reason })

/**
 * Makes messages of the bytes that come. What it keeps of a message that is under way is the payload alone, in one
 * buffer that is never much larger, however small the pieces were that it came in.
 */
export class FrameReader {
  private limits: MessageLimits
  /** bytes that came and have not been looked at, from `at` on */
  private chunk = none
  private at = 0
  /** the payload of the message under way, unmasked, and how much there is of it */
  private message = none
  private size = 0
  /** frames of the message under way; 0: there is none */
  private fragments = 0
  /** all bytes of the message together: less than 0x80 where it is ASCII */
  private bits = 0
  /** bytes that the frame under way still lacks; -1: there is none */
  private missing = -1
  private isLast = false
  /** the mask of the frame under way; its next byte is the highest */
  private mask = 0

  constructor(limits: MessageLimits) {
    this.limits = limits
  }

  /** holds for the next frame, and for what that makes of a message under way */
  limit(limits: MessageLimits): void {
    this.limits = limits
  }

  /** takes these bytes, which are its own from now on */
  push(bytes: Buffer): void {
    this.chunk = this.at === this.chunk.length ? bytes : Buffer.concat([this.chunk.subarray(this.at), bytes])
    this.at = 0
  }

  /** the next text message, or what else came; undefined: more bytes are needed */
  next(): string | Signal | undefined {
    for (;;) {
      if (this.missing < 0) {
        const found = this.head()
        if (found !== undefined) return found
        if (this.missing < 0) return void this.keepRest()
      }
      this.payload()
      if (this.missing > 0) return void this.keepRest()
      this.missing = -1
      if (this.isLast) return this.whole()
    }
  }

  /** reads the head of a frame if it is there, and with it what lies in one piece: small messages, signals */
  private head(): string | Signal | undefined {
    const { at, chunk } = this
    const available = chunk.length - at
    if (available < 2) return undefined
    const first = chunk[at] ?? 0
    const second = chunk[at + 1] ?? 0
    if ((first & 0x70) !== 0) return broken(1002, "no extension was agreed on")
    if (second < 0x80) return broken(1002, "frames of a client are masked")
    const opcode = first & 0x0f
    let length = second & 0x7f
    if (opcode >= close) return this.signal(opcode, first >= 0x80, length)
    if (opcode === binary) return broken(1003, "text frames only")
    if (opcode > binary) return broken(1002, "unknown opcode")
    if ((opcode === text) !== (this.fragments === 0)) return broken(1002, "a message began within another, or never")
    let start = at + 6
    if (length === 126) {
      start += 2
      if (available < 4) return undefined
      length = chunk.readUInt16BE(at + 2)
    } else if (length === 127) {
      start += 8
      if (available < 10) return undefined
      length = chunk.readUInt32BE(at + 2) * 2 ** 32 + chunk.readUInt32BE(at + 6)
    }
    if (this.size + length > this.limits.bytes) return broken(1009, `a message has ${this.limits.bytes} bytes at most`)
    if (this.fragments >= this.limits.fragments) return broken(1008, "a message has fewer fragments")
    if (chunk.length < start) return undefined
    this.fragments++
    this.mask = chunk.readInt32BE(start - 4)
    this.isLast = first >= 0x80
    const end = start + length
    if (!this.isLast || this.fragments > 1 || end > chunk.length) {
      this.at = start
      this.missing = length
      return undefined
    }
    this.at = end
    this.unmask(chunk, start, end, chunk, start)
    return this.end(chunk, start, end)
  }

  /** a control frame is read when it is there whole: it has 131 bytes at most */
  private signal(opcode: number, isWhole: boolean, length: number): Signal | undefined {
    if (opcode > pong || !isWhole || length > 125) return broken(1002, "no such control frame")
    const start = this.at + 6
    const end = start + length
    if (this.chunk.length < end) return undefined
    this.mask = this.chunk.readInt32BE(start - 4)
    this.at = end
    const { bits } = this
    const payload = Buffer.allocUnsafeSlow(length)
    this.unmask(this.chunk, start, end, payload, 0)
    this.bits = bits
    if (opcode === ping) return { _tag: "Ping", payload }
    if (opcode === pong) return pongCame
    if (length === 0) return { _tag: "Close", code: undefined }
    const code = length === 1 ? 0 : payload.readUInt16BE(0)
    if (!isCloseCode(code)) return broken(1002, "no such close code")
    if (!isUtf8(payload.subarray(2))) return broken(1007, "text is UTF-8")
    return { _tag: "Close", code }
  }

  /** takes what there is of the frame's payload into the message */
  private payload(): void {
    const length = Math.min(this.missing, this.chunk.length - this.at)
    const size = this.size + length
    if (size > this.message.length) {
      const room = Math.max(size, Math.min(2 * this.message.length, this.limits.bytes))
      const larger = Buffer.allocUnsafeSlow(room)
      this.message.copy(larger, 0, 0, this.size)
      this.message = larger
    }
    this.unmask(this.chunk, this.at, this.at + length, this.message, this.size)
    this.at += length
    this.size = size
    this.missing -= length
  }

  private unmask(from: Buffer, start: number, end: number, to: Buffer, at: number): void {
    let { bits, mask } = this
    for (let source = start, target = at; source < end; source++, target++) {
      const byte = (from[source] ?? 0) ^ (mask >>> 24)
      to[target] = byte
      bits |= byte
      mask = (mask << 8) | (mask >>> 24)
    }
    this.bits = bits
    this.mask = mask
  }

  private whole(): string | Signal {
    const { message, size } = this
    this.message = none
    this.size = 0
    return this.end(message, 0, size)
  }

  private end(bytes: Buffer, start: number, end: number): string | Signal {
    const isAscii = this.bits < 0x80
    this.bits = 0
    this.fragments = 0
    // three times as fast, and what is ASCII need not be looked at again
    if (isAscii) return bytes.toString("latin1", start, end)
    return isUtf8(bytes.subarray(start, end)) ? bytes.toString("utf8", start, end) : broken(1007, "text is UTF-8")
  }

  /** what is left is a part of a head: it must not hold the 64 KiB that it may have come in */
  private keepRest(): void {
    if (this.at === 0) return
    const rest = this.chunk.subarray(this.at)
    this.chunk = rest.length === 0 ? none : Buffer.from(new Uint8Array(rest).buffer)
    this.at = 0
  }
}

/** Codes that an endpoint may send (RFC 6455, section 7.4, and its registry at IANA). */
const isCloseCode = (code: number): boolean =>
  (code >= 1000 && code <= 1014 && code !== 1004 && code !== 1005 && code !== 1006) || (code >= 3000 && code <= 4999)

/** A frame that is whole, from its opcode and the length of its payload, which is yet to be written behind the head. */
const frame = (opcode: number, length: number): { readonly bytes: Buffer; readonly head: number } => {
  const head = length < 126 ? 2 : length < 65_536 ? 4 : 10
  const bytes = Buffer.allocUnsafe(head + length)
  bytes[0] = 0x80 | opcode
  if (head === 2) bytes[1] = length
  else if (head === 4) {
    bytes[1] = 126
    bytes.writeUInt16BE(length, 2)
  } else {
    bytes[1] = 127
    bytes.writeBigUInt64BE(BigInt(length), 2)
  }
  return { bytes, head }
}

export const textFrame = (message: string): Buffer => {
  const { bytes, head } = frame(text, Buffer.byteLength(message))
  bytes.write(message, head)
  return bytes
}

export const pingFrame = frame(ping, 0).bytes

export const pongFrame = (payload: Uint8Array): Buffer => {
  const { bytes, head } = frame(pong, payload.length)
  bytes.set(payload, head)
  return bytes
}

/** The reason has 123 bytes at most. */
export const closeFrame = (code: number | undefined, reason: string): Buffer => {
  if (code === undefined) return frame(close, 0).bytes
  const { bytes, head } = frame(close, 2 + Buffer.byteLength(reason))
  bytes.writeUInt16BE(code, head)
  bytes.write(reason, head + 2)
  return bytes
}
