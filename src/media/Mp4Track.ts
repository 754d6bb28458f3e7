import { type Box, boxAt, boxesIn, typeAt } from "./Mp4Boxes.ts"

/** What an MP4's movie header says of its video. */
export interface Mp4Track {
  readonly id: number
  /** units a second */
  readonly timescale: number
  /** RFC 6381: `avc1.42C01E`, `hvc1.1.6.L93.B0` */
  readonly codec: string
  /** of a sample that says nothing of its own */
  readonly sampleDuration: number
  readonly sampleFlags: number
}

/** The first video track in the content of a `moov`; undefined: there is none whose codec is known. */
export const mp4Track = (moov: DataView): Mp4Track | undefined => {
  const whole = { start: 0, end: moov.byteLength }
  for (const trak of boxesIn(moov, 0, moov.byteLength)) {
    if (trak.type !== "trak") continue
    const hdlr = boxAt(moov, trak, "mdia", "hdlr")
    if (hdlr === undefined || hdlr.end - hdlr.start < 12 || typeAt(moov, hdlr.start + 8) !== "vide") continue
    const tkhd = boxAt(moov, trak, "tkhd")
    const mdhd = boxAt(moov, trak, "mdia", "mdhd")
    const codec = codecOf(moov, boxAt(moov, trak, "mdia", "minf", "stbl", "stsd"))
    if (tkhd === undefined || mdhd === undefined || codec === undefined) continue
    // version 1 has 64-bit times before these (8.3.2, 8.4.2)
    const id = wordAt(moov, tkhd, moov.getUint8(tkhd.start) === 1 ? 20 : 12)
    const timescale = wordAt(moov, mdhd, moov.getUint8(mdhd.start) === 1 ? 20 : 12)
    if (id === 0 || timescale === 0) continue
    const mvex = boxAt(moov, whole, "mvex")
    const trex =
      mvex === undefined
        ? undefined
        : [...boxesIn(moov, mvex.start, mvex.end)].find((box) => box.type === "trex" && wordAt(moov, box, 4) === id)
    return {
      id,
      timescale,
      codec,
      sampleDuration: trex === undefined ? 0 : wordAt(moov, trex, 12),
      sampleFlags: trex === undefined ? 0 : wordAt(moov, trex, 20)
    }
  }
  return undefined
}

const wordAt = (view: DataView, { end, start }: Pick<Box, "start" | "end">, offset: number): number =>
  start + offset + 4 > end ? 0 : view.getUint32(start + offset)

/** Of a VisualSampleEntry (ISO 14496-12, 12.1.3), whose boxes follow 78 bytes. */
const codecOf = (view: DataView, stsd: Pick<Box, "start" | "end"> | undefined): string | undefined => {
  if (stsd === undefined || stsd.end - stsd.start < 8) return undefined
  const [entry] = boxesIn(view, stsd.start + 8, stsd.end)
  if (entry === undefined) return undefined
  const boxes = { start: entry.start + 78, end: entry.end }
  const avcC = boxAt(view, boxes, "avcC")
  if (avcC !== undefined && avcC.end - avcC.start >= 4) {
    const [profile, compatibility, level] = [1, 2, 3].map((i) => hex(view.getUint8(avcC.start + i)))
    return `${entry.type}.${profile}${compatibility}${level}`
  }
  const hvcC = boxAt(view, boxes, "hvcC")
  return hvcC === undefined || hvcC.end - hvcC.start < 13 ? undefined : `${entry.type}.${hevcOf(view, hvcC.start)}`
}

const hex = (byte: number): string => byte.toString(16).toUpperCase().padStart(2, "0")

/** ISO 14496-15, annex E.3. */
const hevcOf = (view: DataView, at: number): string => {
  const first = view.getUint8(at + 1)
  const space = ["", "A", "B", "C"][first >> 6] ?? ""
  let compatibility = 0
  for (let bit = 0; bit < 32; bit++) if (view.getUint32(at + 2) & (2 ** bit)) compatibility += 2 ** (31 - bit)
  const constraints = [6, 7, 8, 9, 10, 11].map((i) => view.getUint8(at + i))
  while (constraints.at(-1) === 0) constraints.pop()
  const tier = (first >> 5) & 1 ? "H" : "L"
  return [
    `${space}${first & 31}`,
    compatibility.toString(16).toUpperCase(),
    `${tier}${view.getUint8(at + 12)}`,
    ...constraints.map((byte) => byte.toString(16).toUpperCase())
  ].join(".")
}
