import { standardTables } from "./HuffmanTables.ts"

/** Finds whole JPEG pictures in a stream of bytes (ITU-T T.81, annex B), reads their size, and makes them complete. */

const markerEnd = 0xd9
const pictureStart = Buffer.from([0xff, 0xd8])
const markerScan = 0xda
const markerTables = 0xc4

/** No camera's picture is this large: a stream that has no end of picture by then is not JPEG. */
const maxPictureBytes = 32 << 20

/** Where the entropy-coded data begins, after the last header; undefined while headers are still missing. */
const scanStart = (bytes: Buffer): number | undefined => {
  let at = 2
  while (at + 4 <= bytes.length) {
    const marker = bytes[at + 1]
    const length = bytes.readUInt16BE(at + 2)
    if (marker === markerScan) return at + 2 + length
    at += 2 + length
  }
  return undefined
}

/** The end of the first picture in `bytes`, which begin with one; undefined while it is not whole. */
const pictureEnd = (bytes: Buffer, from: number): number | undefined => {
  const start = scanStart(bytes)
  if (start === undefined) return undefined
  // inside the entropy-coded data FF is always followed by 00 or a restart marker, so this is the end
  const end = bytes.indexOf(Buffer.from([0xff, markerEnd]), Math.max(start, from - 1))
  return end === -1 ? undefined : end + 2
}

/** Cuts what FFmpeg's image2pipe writes into pictures. `push` gives the pictures that became whole with this chunk. */
export const splitter = () => {
  let chunks: Array<Buffer> = []
  let length = 0
  return {
    push: (chunk: Uint8Array): ReadonlyArray<Buffer> => {
      const before = length
      chunks.push(Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength))
      length += chunk.byteLength
      // the end marker is in the newest chunk or on its edge: joining earlier would copy for nothing
      if (before > 0 && !chunk.includes(markerEnd)) {
        if (length > maxPictureBytes) throw new RangeError("no end of picture in 32 MiB")
        return []
      }
      let bytes = chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks, length)
      const pictures: Array<Buffer> = []
      let searched = before
      for (;;) {
        const start = bytes.indexOf(pictureStart)
        // of what is no picture only a first half of a start may be of use
        const skipped = start === -1 ? bytes.length - (bytes.at(-1) === 0xff ? 1 : 0) : start
        bytes = bytes.subarray(skipped)
        searched = Math.max(0, searched - skipped)
        const end = start === -1 ? undefined : pictureEnd(bytes, searched)
        if (end === undefined) break
        // copied, so that one picture does not keep a whole pipe buffer alive
        pictures.push(Buffer.from(bytes.subarray(0, end)))
        bytes = bytes.subarray(end)
        searched = 0
      }
      if (bytes.length > maxPictureBytes) throw new RangeError("no end of picture in 32 MiB")
      chunks = bytes.length === 0 ? [] : [bytes]
      length = bytes.length
      return pictures
    }
  }
}

/** Width and height from the frame header (SOF0 to SOF15, T.81 B.2.2); undefined when there is none. */
export const jpegSize = (bytes: Buffer): { readonly width: number; readonly height: number } | undefined => {
  let at = 2
  while (at + 9 <= bytes.length) {
    const marker = bytes[at + 1] ?? 0
    const isFrame = marker >= 0xc0 && marker <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(marker)
    if (isFrame) return { height: bytes.readUInt16BE(at + 5), width: bytes.readUInt16BE(at + 7) }
    at += 2 + bytes.readUInt16BE(at + 2)
  }
  return undefined
}

/**
 * The picture with its Huffman tables. Cameras leave out the standard ones, as Motion JPEG in AVI does, and many viewers
 * show no such picture. The picture itself stays as it is: FFmpeg's mjpeg2jpeg would take the first segment for AVI's.
 */
export const withTables = (jpeg: Buffer): Buffer => {
  let at = 2
  while (at + 4 <= jpeg.length && jpeg[at] === 0xff) {
    if (jpeg[at + 1] === markerTables) return jpeg
    if (jpeg[at + 1] === markerScan) return Buffer.concat([jpeg.subarray(0, at), standardTables, jpeg.subarray(at)])
    at += 2 + jpeg.readUInt16BE(at + 2)
  }
  return jpeg
}
