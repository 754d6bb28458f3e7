import { type Box, boxAt, boxHead, typeAt, viewOf } from "./Mp4Boxes.ts"
import type { FileRange } from "./Mp4Header.ts"

/** The sound of an MP4, where another MP4 can have it as it is. */
export interface Mp4Sound {
  /** its sample entry: `mp4a` (AAC, MP3), `Opus`, `ac-3` or `ec-3` */
  readonly codec: string
  /** the same in files whose sound goes on from one to the next: their tracks are the same, and its decoder is set up alike */
  readonly kind: string
}

/** What a recorder writes before the first fragment is shorter. */
const usual = 4096
/** Boxes in one, tracks among them. */
const maxBoxes = 32
const maxEntry = 64 << 10

/** In an AudioSampleEntry of these: what sets up the decoder. */
const setups: ReadonlyMap<string, string> = new Map([
  ["mp4a", "esds"],
  ["Opus", "dOps"],
  ["ac-3", "dac3"],
  ["ec-3", "dec3"]
])

/**
 * Reads what sound an MP4 file has: of its first sound track; undefined when it has none that every MP4 may have (PCM is what
 * FFmpeg puts into none before 6.1), or is no such file. It asks for one piece of most files, and for a few of long ones.
 */
export function* mp4Sound(): Generator<FileRange, Mp4Sound | undefined, Uint8Array> {
  let window = new Uint8Array()
  let from = 0
  function* read(position: number, length: number): Generator<FileRange, DataView, Uint8Array> {
    if (position < from || position + length > from + window.length) {
      window = new Uint8Array(yield { position, length: Math.max(length, usual) })
      from = position
    }
    return viewOf(window.subarray(position - from, position - from + length))
  }
  function* boxes(start: number, end: number): Generator<FileRange, ReadonlyArray<Box>, Uint8Array> {
    const found: Array<Box> = []
    for (let at = start; at < end && found.length < maxBoxes;) {
      const box = boxHead(yield* read(at, 16), 0)
      if (box === undefined || (start === 0 && at === 0 && box.type !== "ftyp")) break
      found.push({ type: box.type, start: at + box.head, end: at + box.size })
      at += box.size
      // what follows is media, and may be a day long
      if (start === 0 && (box.type === "moov" || box.type === "moof")) break
    }
    return found
  }
  function* find(
    within: Box | undefined,
    ...path: ReadonlyArray<string>
  ): Generator<FileRange, Box | undefined, Uint8Array> {
    let found = within
    for (const type of path) {
      if (found === undefined) return undefined
      found = (yield* boxes(found.start, found.end)).find((box) => box.type === type)
    }
    return found
  }

  const moov = (yield* boxes(0, Number.MAX_SAFE_INTEGER)).find(({ type }) => type === "moov")
  if (moov === undefined) return undefined
  const handlers: Array<string> = []
  let sound: Mp4Sound | undefined
  for (const trak of yield* boxes(moov.start, moov.end)) {
    if (trak.type !== "trak") continue
    const hdlr = yield* find(trak, "mdia", "hdlr")
    const head = hdlr === undefined ? undefined : yield* read(hdlr.start, 12)
    const handler = head === undefined || head.byteLength < 12 ? "" : typeAt(head, 8)
    if (handler === "soun" && !handlers.includes(handler)) {
      const stsd = yield* find(trak, "mdia", "minf", "stbl", "stsd")
      if (stsd === undefined || stsd.end - stsd.start > maxEntry) return undefined
      sound = soundOf(yield* read(stsd.start, stsd.end - stsd.start))
    }
    handlers.push(handler)
  }
  return sound === undefined ? undefined : { ...sound, kind: `${handlers.join("+")} ${sound.kind}` }
}

/** Of an AudioSampleEntry (ISO 14496-12, 12.2.3), whose boxes follow 28 bytes. */
const soundOf = (stsd: DataView): Mp4Sound | undefined => {
  const entry = boxHead(stsd, 8)
  const setup = entry === undefined ? undefined : setups.get(entry.type)
  if (entry === undefined || setup === undefined || 8 + entry.size > stsd.byteLength || entry.size < 36)
    return undefined
  const box = boxAt(stsd, { start: 16 + 28, end: 8 + entry.size }, setup)
  if (box === undefined) return undefined
  const bytes = new Uint8Array(stsd.buffer, stsd.byteOffset + box.start, box.end - box.start)
  const decoder = setup === "esds" ? decoderOf(bytes) : bytes
  if (decoder === undefined) return undefined
  const [channels, rate] = [stsd.getUint16(16 + 16), stsd.getUint32(16 + 24)]
  return { codec: entry.type, kind: [entry.type, channels, rate, Array.from(decoder).join()].join(" ") }
}

/** Of MPEG-4 descriptors (ISO 14496-1, 7.2.6): the object type and what the decoder is told, not the rates of this file. */
const decoderOf = (esds: Uint8Array): Uint8Array | undefined => {
  // version and flags, then an ES_Descriptor (3) with its id and flags, a DecoderConfigDescriptor (4), its specific info (5)
  let at = 4
  let object = 0
  for (const [tag, fixed] of [
    [3, 3],
    [4, 13]
  ] as const) {
    const found = descriptorAt(esds, at, tag)
    if (found === undefined || found.start + fixed > esds.length) return undefined
    if (tag === 4) object = esds[found.start] ?? 0
    at = found.start + fixed
  }
  const info = descriptorAt(esds, at, 5)
  return Uint8Array.of(object, ...(info === undefined ? [] : esds.subarray(info.start, info.start + info.length)))
}

const descriptorAt = (bytes: Uint8Array, at: number, tag: number) => {
  if (bytes[at] !== tag) return undefined
  let length = 0
  for (let i = 1; i <= 4; i++) {
    const byte = bytes[at + i] ?? 0
    length = (length << 7) | (byte & 0x7f)
    if (byte < 0x80) return { start: at + i + 1, length }
  }
  return undefined
}
