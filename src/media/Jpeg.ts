import { standardTables } from "./HuffmanTables.ts"
import { frameSize, markers, type PictureSize, segments } from "./JpegSegments.ts"

/** Cuts a stream of bytes into JPEG pictures, reads their size, and makes them complete. */

const startMarker = Buffer.from([0xff, markers.soi])
const endMarker = Buffer.from([0xff, markers.eoi])

/** No camera's picture is this large: a stream that has no end of picture by then is not JPEG. */
const maxPictureBytes = 32 << 20

/** The end of the first picture in `bytes`, which begin with one and hold no end before `from`; undefined while it is not whole. */
const pictureEnd = (bytes: Buffer, from: number): number | undefined => {
  for (const { end, marker } of segments(bytes)) {
    // tables alone (T.81, B.5): they end, and have no size
    if (marker === markers.eoi) return end
    if (marker === markers.sos) {
      // inside the entropy-coded data FF is always followed by 00 or a restart marker, so this is the end
      const found = bytes.indexOf(endMarker, Math.max(end, from - 1))
      return found === -1 ? undefined : found + 2
    }
  }
  return undefined
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
      if (before > 0 && !chunk.includes(markers.eoi)) {
        if (length > maxPictureBytes) throw new RangeError("no end of picture in 32 MiB")
        return []
      }
      let bytes = chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks, length)
      const pictures: Array<Buffer> = []
      let searched = before
      for (;;) {
        const start = bytes.indexOf(startMarker)
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

/** Of the first frame header; undefined when there is none. */
export const jpegSize = (jpeg: Uint8Array): PictureSize | undefined => {
  for (const segment of segments(jpeg)) {
    const size = frameSize(jpeg, segment)
    if (size !== undefined) return size
  }
  return undefined
}

/**
 * The picture with its Huffman tables. Cameras leave out the standard ones, as Motion JPEG in AVI does, and many viewers
 * show no such picture. The picture itself stays as it is: FFmpeg's mjpeg2jpeg would take the first segment for AVI's.
 */
export const withTables = (jpeg: Buffer): Buffer => {
  for (const { marker, start } of segments(jpeg)) {
    if (marker === markers.dht) return jpeg
    if (marker === markers.sos) return Buffer.concat([jpeg.subarray(0, start), standardTables, jpeg.subarray(start)])
  }
  return jpeg
}
