import { Bits, type NextByte } from "./Bits.ts"

/**
 * Reads an H.264 sequence parameter set (ITU-T H.264, 7.3.2.1.1 and E.1.1) as far as conformance needs it.
 */

export interface Sps {
  readonly profileIdc: number
  readonly constraintSet1: boolean
  /** ten times the level: 30 is level 3.0 */
  readonly levelIdc: number
  /** 1 is 4:2:0 */
  readonly chromaFormatIdc: number
  readonly progressive: boolean
  /** of the picture that is shown, after cropping */
  readonly width: number
  readonly height: number
  /** from the timing information; 0: the stream says nothing */
  readonly framesPerSecond: number
}

/** Profiles whose SPS carries chroma and scaling fields (7.3.2.1.1). */
const highProfiles = new Set([100, 110, 122, 244, 44, 83, 86, 118, 128, 138, 139, 134, 135])

/** The payload of a NAL unit, without the bytes that keep start codes from appearing in it (7.4.1: 00 00 03). */
const payload = (nal: Uint8Array): NextByte => {
  let at = 1
  let zeros = 0
  return () => {
    if (zeros >= 2 && nal[at] === 3) {
      zeros = 0
      at++
    }
    const byte = nal[at++]
    zeros = byte === 0 ? zeros + 1 : 0
    return byte
  }
}

/** By the type in its first byte (7.4.1). */
export const isSps = (nal: Uint8Array): boolean => ((nal[0] ?? 0) & 0x1f) === 7

const skipScalingLists = (read: Bits, count: number): void => {
  for (let list = 0; list < count; list++) {
    if (read.take(1) === 0) continue
    let last = 8
    let next = 8
    for (let i = 0; i < (list < 6 ? 16 : 64); i++) {
      if (next !== 0) next = (last + read.signed() + 256) % 256
      last = next === 0 ? last : next
    }
  }
}

const skipPictureOrder = (read: Bits): void => {
  const type = read.unsigned()
  if (type === 0) read.unsigned()
  if (type !== 1) return
  read.take(1)
  read.signed()
  read.signed()
  const cycle = read.unsigned()
  for (let i = 0; i < cycle; i++) read.signed()
}

/** `vui_parameters()` up to the timing information (E.1.1); frames a second, or 0. */
const readFrameRate = (read: Bits): number => {
  if (read.take(1) === 1 && read.take(8) === 255) read.take(32)
  if (read.take(1) === 1) read.take(1)
  if (read.take(1) === 1) {
    read.take(4)
    if (read.take(1) === 1) read.take(24)
  }
  if (read.take(1) === 1) {
    read.unsigned()
    read.unsigned()
  }
  if (read.take(1) === 0) return 0
  const unitsInTick = read.take(32)
  const timeScale = read.take(32)
  return unitsInTick === 0 ? 0 : timeScale / (2 * unitsInTick)
}

/** `nal` is one SPS NAL unit without its start code. Throws a RangeError when it is cut short or is no SPS. */
export const parseSps = (nal: Uint8Array): Sps => {
  if (!isSps(nal)) throw new RangeError("not a sequence parameter set")
  const read = new Bits(payload(nal))
  const profileIdc = read.take(8)
  read.take(1)
  const constraintSet1 = read.take(1) === 1
  read.take(6)
  const levelIdc = read.take(8)
  read.unsigned()
  let chromaFormatIdc = 1
  let separatePlanes = false
  if (highProfiles.has(profileIdc)) {
    chromaFormatIdc = read.unsigned()
    if (chromaFormatIdc === 3) separatePlanes = read.take(1) === 1
    read.unsigned()
    read.unsigned()
    read.take(1)
    if (read.take(1) === 1) skipScalingLists(read, chromaFormatIdc === 3 ? 12 : 8)
  }
  read.unsigned()
  skipPictureOrder(read)
  read.unsigned()
  read.take(1)
  const widthInBlocks = read.unsigned() + 1
  const heightInUnits = read.unsigned() + 1
  const progressive = read.take(1) === 1
  if (!progressive) read.take(1)
  read.take(1)
  let [left, right, top, bottom] = [0, 0, 0, 0]
  if (read.take(1) === 1) {
    left = read.unsigned()
    right = read.unsigned()
    top = read.unsigned()
    bottom = read.unsigned()
  }
  const framesPerSecond = read.take(1) === 1 ? readFrameRate(read) : 0
  if (read.isOver) throw new RangeError("the SPS ends early")
  const planes = separatePlanes ? 0 : chromaFormatIdc
  const cropX = planes === 1 || planes === 2 ? 2 : 1
  const cropY = (planes === 1 ? 2 : 1) * (progressive ? 1 : 2)
  return {
    profileIdc,
    constraintSet1,
    levelIdc,
    chromaFormatIdc,
    progressive,
    width: widthInBlocks * 16 - cropX * (left + right),
    height: heightInUnits * 16 * (progressive ? 1 : 2) - cropY * (top + bottom),
    framesPerSecond
  }
}

/** The profile's name as people write it. */
export const profileName = (sps: Sps): string => {
  if (sps.profileIdc === 66) return sps.constraintSet1 ? "constrained baseline" : "baseline"
  return (
    { 77: "main", 88: "extended", 100: "high", 110: "high 10", 122: "high 4:2:2" }[sps.profileIdc] ??
    `${sps.profileIdc}`
  )
}

/** The first sequence parameter set of a byte stream (annex B: each NAL unit behind 00 00 01). */
export const spsIn = (stream: Buffer): Buffer | undefined => {
  const startCode = Buffer.from([0, 0, 1])
  for (let at = stream.indexOf(startCode); at !== -1;) {
    const next = stream.indexOf(startCode, at + 3)
    const nal = stream.subarray(at + 3, next === -1 ? stream.length : next)
    if (isSps(nal)) return nal
    at = next
  }
  return undefined
}
