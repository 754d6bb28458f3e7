import type { CameraId } from "../../schema/Camera.ts"

/**
 * What a picture's own bytes say, and the camera's name written into them. A client may name a snapshot as it likes, so
 * its name need not tell the camera; a comment inside the picture (JPEG: a COM segment, PNG: a tEXt chunk) does, goes
 * wherever the file goes, and changes no pixel.
 */

export interface PictureFacts {
  readonly width: number
  readonly height: number
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
  const view = new DataView(head.buffer, head.byteOffset, head.byteLength)
  if (isJpeg(view)) return jpegFacts(view)
  if (isPng(view)) return pngFacts(view)
  return undefined
}

/** The same picture, with the camera's name in it; bytes that are no picture stay as they are. */
export const markCamera = (picture: Uint8Array, device: CameraId): Uint8Array => {
  const view = new DataView(picture.buffer, picture.byteOffset, picture.byteLength)
  if (isJpeg(view)) return insert(picture, afterJfif(view), comSegment(mark(device)))
  if (isPng(view)) return insert(picture, pngChunksStart, textChunk(`${pngKeyword}${mark(device)}`))
  return picture
}

const insert = (bytes: Uint8Array, at: number, piece: Uint8Array): Uint8Array => {
  const whole = new Uint8Array(bytes.length + piece.length)
  whole.set(bytes.subarray(0, at))
  whole.set(piece, at)
  whole.set(bytes.subarray(at), at + piece.length)
  return whole
}

const latin1 = (view: DataView, from: number, to: number): string =>
  String.fromCharCode(...new Uint8Array(view.buffer, view.byteOffset + from, Math.min(to, view.byteLength) - from))

const withDevice = (size: { readonly width: number; readonly height: number }, text: string): PictureFacts => {
  const device = markPattern.exec(text)?.[1]
  return device === undefined ? size : { ...size, device }
}

// JPEG: ITU-T T.81, annex B. After SOI come segments: 0xFF, marker, length (which counts itself), content.

const isJpeg = (view: DataView) => view.byteLength > 4 && view.getUint16(0) === 0xffd8

const isStartOfFrame = (marker: number) =>
  marker >= 0xc0 && marker <= 0xcf && marker !== 0xc4 && marker !== 0xc8 && marker !== 0xcc

const jpegFacts = (view: DataView): PictureFacts | undefined => {
  let comment = ""
  let at = 2
  while (at + 9 <= view.byteLength && view.getUint8(at) === 0xff) {
    const marker = view.getUint8(at + 1)
    if (marker === 0xff) {
      at += 1 // fill byte
      continue
    }
    if (isStartOfFrame(marker)) {
      return withDevice({ height: view.getUint16(at + 5), width: view.getUint16(at + 7) }, comment)
    }
    const length = view.getUint16(at + 2)
    if (marker === 0xfe && length <= 64 && comment === "") comment = latin1(view, at + 4, at + 2 + length)
    at += 2 + length
  }
  return undefined
}

/** JFIF wants its APP0 right after SOI, so the comment goes behind it. */
const afterJfif = (view: DataView) => (view.getUint16(2) === 0xffe0 ? 4 + view.getUint16(4) : 2)

const comSegment = (text: string): Uint8Array => {
  const content = new TextEncoder().encode(text)
  return Uint8Array.of(0xff, 0xfe, 0, content.length + 2, ...content)
}

// PNG: https://www.w3.org/TR/png-3. Signature, then chunks: length, type, content, CRC; the first is IHDR with 13 bytes.

const pngChunksStart = 8 + 12 + 13

const isPng = (view: DataView) => view.byteLength >= pngChunksStart && view.getBigUint64(0) === 0x89504e470d0a1a0an

const pngFacts = (view: DataView): PictureFacts => {
  const size = { width: view.getUint32(16), height: view.getUint32(20) }
  let at = pngChunksStart
  while (at + 12 <= view.byteLength) {
    const length = view.getUint32(at)
    const type = latin1(view, at + 4, at + 8)
    if (type === "IDAT") break
    if (type === "tEXt" && length <= 64) {
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
