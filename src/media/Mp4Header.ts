import { boxHead, typeAt, viewOf } from "./Mp4Boxes.ts"

/** What the movie header says. */
export interface Mp4Header {
  /** Seconds; 0 while the file is being written, and for ever in one whose writer was killed. */
  readonly duration: number
  /** The header comes before the media, so that a reader needs not look at the rest. */
  readonly leads: boolean
}

const maxMoov = 4 * 1024 * 1024
// ftyp, free, mdat, moov, …: a file of parts has its moov among the first boxes, any other few boxes in all.
const maxBoxes = 16

/** Which bytes of the file are needed next. */
export interface FileRange {
  readonly position: number
  readonly length: number
}

/** mvhd (ISO 14496-12, 8.2.2): version 1 has 64-bit times and duration. */
const durationOf = (moov: DataView): number => {
  let at = 0
  while (at + 32 <= moov.byteLength) {
    const size = moov.getUint32(at)
    if (typeAt(moov, at + 4) === "mvhd") {
      const long = moov.getUint8(at + 8) === 1
      if (long && at + 40 > moov.byteLength) return 0
      const scale = moov.getUint32(at + (long ? 28 : 20))
      const units = long ? Number(moov.getBigUint64(at + 32)) : moov.getUint32(at + 24)
      return scale === 0 ? 0 : units / scale
    }
    if (size < 8) return 0
    at += size
  }
  return 0
}

/**
 * Reads the movie header of an MP4 file; `undefined` when it is none, or has none (yet). It asks for a few kilobytes of the
 * file, whatever its length, and is given them by whoever can read it, or fewer where the file ends before.
 */
export function* mp4Header(): Generator<FileRange, Mp4Header | undefined, Uint8Array> {
  let at = 0
  let leads = true
  for (let i = 0; i < maxBoxes && Number.isSafeInteger(at); i++) {
    const head = viewOf(yield { position: at, length: 16 })
    if (head.byteLength < 16) return undefined
    const found = boxHead(head, 0)
    if (found === undefined || (i === 0 && found.type !== "ftyp")) return undefined
    const { head: headBytes, size, type } = found
    if (type === "moov") {
      const length = Math.min(size - headBytes, maxMoov)
      const moov = viewOf(yield { position: at + headBytes, length })
      return moov.byteLength < length ? undefined : { duration: durationOf(moov), leads }
    }
    if (type === "mdat") leads = false
    at += size
  }
  return undefined
}
