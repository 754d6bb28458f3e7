import { type FileHandle, open } from "node:fs/promises"

/** What the movie header says; read from at most a few kilobytes of the file, whatever its length. */
export interface Mp4Header {
  /** Seconds; 0 while the file is being written, and for ever in one whose writer was killed. */
  readonly duration: number
  /** The header comes before the media, so that a reader needs not look at the rest. */
  readonly leads: boolean
}

const maxMoov = 4 * 1024 * 1024
// ftyp, free, mdat, moov, …: a file of parts has its moov among the first boxes, any other few boxes in all.
const maxBoxes = 16

const read = async (file: FileHandle, position: number, length: number): Promise<DataView | undefined> => {
  const bytes = new Uint8Array(length)
  const { bytesRead } = await file.read(bytes, 0, length, position)
  return bytesRead === length ? new DataView(bytes.buffer) : undefined
}

const typeAt = (view: DataView, offset: number) => {
  let type = ""
  for (let i = 0; i < 4; i++) type += String.fromCharCode(view.getUint8(offset + i))
  return type
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

/** Reads the movie header of an MP4 file; `undefined` when it is none, or has none (yet). */
export const readMp4Header = async (path: string): Promise<Mp4Header | undefined> => {
  await using file = await open(path, "r")
  let at = 0
  let leads = true
  for (let i = 0; i < maxBoxes; i++) {
    const head = await read(file, at, 16)
    if (head === undefined) return undefined
    const type = typeAt(head, 4)
    if (i === 0 && type !== "ftyp") return undefined
    const short = head.getUint32(0)
    const size = short === 1 ? Number(head.getBigUint64(8)) : short
    if (size < 8) return undefined
    if (type === "moov") {
      const moov = await read(file, at + 8, Math.min(size, maxMoov) - 8)
      return moov === undefined ? undefined : { duration: durationOf(moov), leads }
    }
    if (type === "mdat") leads = false
    at += size
  }
  return undefined
}
