import type { Mp4Part, Mp4Parts } from "../media/Mp4Parts.ts"

/**
 * Parts as they are kept: numbers of 7 bits a byte (LEB128), times in microseconds. Each part begins where the one before
 * ends, so its lengths are enough: 8 to 9 bytes for each keyframe.
 */

const micros = 1_000_000

export const packParts = ({ codec, initBytes, parts }: Mp4Parts): Uint8Array => {
  const bytes: Array<number> = []
  const put = (value: number): void => {
    let left = Math.max(0, Math.round(value))
    while (left >= 128) {
      bytes.push((left % 128) + 128)
      left = Math.floor(left / 128)
    }
    bytes.push(left)
  }
  const name = new TextEncoder().encode(codec)
  put(name.length)
  for (const byte of name) bytes.push(byte)
  put(initBytes)
  put((parts[0]?.offset ?? 0) - initBytes)
  put((parts[0]?.start ?? 0) * micros)
  put(parts.length)
  for (const [i, part] of parts.entries()) {
    const next = parts[i + 1]
    put(next === undefined ? part.length : next.offset - part.offset)
    put((next === undefined ? part.duration : next.start - part.start) * micros)
    put((part.keyframe - part.start) * micros)
  }
  return Uint8Array.from(bytes)
}

/** Undefined: it was not packed here. */
export const unpackParts = (data: Uint8Array): Mp4Parts | undefined => {
  let at = 0
  const take = (): number => {
    let value = 0
    let scale = 1
    for (;;) {
      const byte = data[at++] ?? 0
      value += (byte % 128) * scale
      if (byte < 128) return value
      scale *= 128
    }
  }
  const length = take()
  const codec = new TextDecoder().decode(data.subarray(at, at + length))
  at += length
  const initBytes = take()
  let offset = initBytes + take()
  let start = take()
  const count = take()
  if (count > data.length) return undefined
  const parts: Array<Mp4Part> = []
  for (let i = 0; i < count; i++) {
    const [bytes, duration, key] = [take(), take(), take()]
    parts.push({
      offset,
      length: bytes,
      start: start / micros,
      duration: duration / micros,
      keyframe: (start + key) / micros
    })
    offset += bytes
    start += duration
  }
  return { codec, initBytes, parts }
}
