import type { CameraId } from "../../schema/Camera.ts"
import { frameSize, isJpeg, markers, type PictureSize, segments } from "./JpegSegments.ts"

/**
 * What a picture's own bytes say, and the camera's name written into them. A client may name a snapshot as it likes, so
 * its name need not tell the camera; a comment inside the picture (JPEG: a COM segment, PNG: a tEXt chunk) does, goes
 * wherever the file goes, and changes no pixel.
 */

export interface PictureFacts extends PictureSize {
  /** who took it, where `markCamera` said so */
  readonly device?: CameraId
}

/** How much of a file's start `pictureFacts` needs: past the largest EXIF segment, 64 KiB. */
export const pictureHeadBytes = 80 * 1024

const markPattern = /^camera-service (camera[0-9]{1,9})$/
const mark = (device: CameraId) => `camera-service ${device}`
const pngKeyword = "Source\0"

/** Size and camera from the start of a JPEG or PNG; undefined when it is neither. */
export const pictureFacts = (head: Uint8Array): PictureFacts | undefined => {
  if (isJpeg(head)) return jpegFacts(head)
  const view = viewOf(head)
  return isPng(view) ? pngFacts(view) : undefined
}

/** The same picture, with the camera's name in it; bytes that are no picture stay as they are. */
export const markCamera = (picture: Uint8Array, device: CameraId): Uint8Array => {
  if (isJpeg(picture)) return insert(picture, afterJfif(picture), comSegment(mark(device)))
  if (isPng(viewOf(picture))) return insert(picture, pngChunksStart, textChunk(`${pngKeyword}${mark(device)}`))
  return picture
}

const insert = (bytes: Uint8Array, at: number, piece: Uint8Array): Uint8Array => {
  const whole = new Uint8Array(bytes.length + piece.length)
  whole.set(bytes.subarray(0, at))
  whole.set(piece, at)
  whole.set(bytes.subarray(at), at + piece.length)
  return whole
}

const viewOf = (bytes: Uint8Array) => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)

const withDevice = (size: PictureSize, text: string): PictureFacts => {
  const device = markPattern.exec(text)?.[1]
  return device === undefined ? size : { ...size, device }
}

/** Longer comments are no marks. */
const maxMarkBytes = 64

const jpegFacts = (head: Uint8Array): PictureFacts | undefined => {
  let comment = ""
  for (const segment of segments(head)) {
    const size = frameSize(head, segment)
    if (size !== undefined) return withDevice(size, comment)
    const { content, end, marker } = segment
    if (marker === markers.com && end - content <= maxMarkBytes && comment === "") {
      comment = String.fromCharCode(...head.subarray(content, end))
    }
  }
  return undefined
}

/** JFIF wants its APP0 right after SOI, so the comment goes behind it. */
const afterJfif = (jpeg: Uint8Array): number => {
  const [first] = segments(jpeg)
  return first?.marker === markers.app0 ? first.end : 2
}

const comSegment = (text: string): Uint8Array => {
  const content = new TextEncoder().encode(text)
  return Uint8Array.of(0xff, markers.com, 0, content.length + 2, ...content)
}

// PNG: https://www.w3.org/TR/png-3. Signature, then chunks: length, type, content, CRC; the first is IHDR with 13 bytes.

const pngChunksStart = 8 + 12 + 13

const isPng = (view: DataView) => view.byteLength >= pngChunksStart && view.getBigUint64(0) === 0x89504e470d0a1a0an

const latin1 = (view: DataView, from: number, to: number): string =>
  String.fromCharCode(...new Uint8Array(view.buffer, view.byteOffset + from, Math.min(to, view.byteLength) - from))

const pngFacts = (view: DataView): PictureFacts => {
  const size = { width: view.getUint32(16), height: view.getUint32(20) }
  let at = pngChunksStart
  while (at + 12 <= view.byteLength) {
    const length = view.getUint32(at)
    const type = latin1(view, at + 4, at + 8)
    if (type === "IDAT") break
    if (type === "tEXt" && length <= maxMarkBytes) {
      const text = latin1(view, at + 8, at + 8 + length)
      if (text.startsWith(pngKeyword)) return withDevice(size, text.slice(pngKeyword.length))
    }
    at += 12 + length
  }
  return size
}

const textChunk = (text: string): Uint8Array => {
  const content = new TextEncoder().encode(`tEXt${text}`)
  const chunk = new Uint8Array(content.length + 8)
  const view = new DataView(chunk.buffer)
  view.setUint32(0, content.length - 4)
  chunk.set(content, 4)
  view.setUint32(chunk.length - 4, crc32(content))
  return chunk
}

/** The CRC of PNG's annex D; bit by bit, since a chunk here has some 40 bytes. */
const crc32 = (bytes: Uint8Array): number => {
  let crc = 0xffffffff
  for (const byte of bytes) {
    crc ^= byte
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0)
  }
  return (crc ^ 0xffffffff) >>> 0
}
