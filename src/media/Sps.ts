import { Bits, type NextByte } from "./Bits.ts"
import { cropUnit, readCropping } from "./Cropping.ts"

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
  /** pictures may come in another order than they are shown in; undefined: the stream does not say */
  readonly hasBFrames: boolean | undefined
}

/** Profiles whose SPS carries chroma and scaling fields (7.3.2.1.1). */
const highProfiles = new Set([100, 110, 122, 244, 44, 83, 86, 118, 128, 138, 139, 134, 135])

/** The payload of a NAL unit behind its header, without the bytes that keep start codes from appearing in it (7.4.1: 00 00 03). */
export const payload = (nal: Uint8Array, header = 1): NextByte => {
  let at = header
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

/** Gives `pic_order_cnt_type`. */
const readPictureOrder = (read: Bits): number => {
  const type = read.unsigned()
  if (type === 0) read.unsigned()
  if (type !== 1) return type
  read.take(1)
  read.signed()
  read.signed()
  const cycle = read.unsigned()
  // more than there may be (7.4.2.1.1)
  if (cycle > 255) throw new RangeError("the picture order has too many steps")
  for (let i = 0; i < cycle; i++) read.signed()
  return type
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
  read.take(1)
  return unitsInTick === 0 ? 0 : timeScale / (2 * unitsInTick)
}

/** `hrd_parameters()` (E.1.2). */
const skipBuffer = (read: Bits): void => {
  const count = read.unsigned() + 1
  if (count > 32) throw new RangeError("there are too many buffers")
  read.take(8)
  for (let i = 0; i < count; i++) {
    read.unsigned()
    read.unsigned()
    read.take(1)
  }
  read.take(20)
}

/** `max_num_reorder_frames`, behind the timing information; undefined where it is not said, or what is said ends early. */
const readReordering = (read: Bits): number | undefined => {
  try {
    const buffers = [1, 2].filter(() => {
      const isThere = read.take(1) === 1
      if (isThere) skipBuffer(read)
      return isThere
    })
    if (buffers.length > 0) read.take(1)
    read.take(1)
    if (read.take(1) === 0) return undefined
    read.take(1)
    for (let i = 0; i < 4; i++) read.unsigned()
    const frames = read.unsigned()
    return read.isOver ? undefined : frames
  } catch (error) {
    // cameras write the end of it wrongly
    if (error instanceof RangeError) return undefined
    throw error
  }
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
  const pictureOrder = readPictureOrder(read)
  read.unsigned()
  read.take(1)
  const widthInBlocks = read.unsigned() + 1
  const heightInUnits = read.unsigned() + 1
  const progressive = read.take(1) === 1
  if (!progressive) read.take(1)
  read.take(1)
  const { columns, rows } = readCropping(read)
  const saysMore = read.take(1) === 1
  const framesPerSecond = saysMore ? readFrameRate(read) : 0
  if (read.isOver) throw new RangeError("the SPS ends early")
  const reordered = saysMore ? readReordering(read) : undefined
  // baseline has no B slices (A.2.1); with type 2 pictures come in the order that they are shown in (8.2.1.3)
  const isInOrder = profileIdc === 66 || pictureOrder === 2
  const unit = cropUnit(separatePlanes ? 0 : chromaFormatIdc)
  const fields = progressive ? 1 : 2
  return {
    profileIdc,
    constraintSet1,
    levelIdc,
    chromaFormatIdc,
    progressive,
    width: widthInBlocks * 16 - unit.width * columns,
    height: (heightInUnits * 16 - unit.height * rows) * fields,
    framesPerSecond,
    hasBFrames: isInOrder ? false : reordered === undefined ? undefined : reordered > 0
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

/** Where a picture's parameter sets and its first slice are, with much slack. */
const maxSearched = 64 << 10
const maxNals = 64
const startCode = Buffer.from([0, 0, 1])

/**
 * The first 64 NAL units of a byte stream (annex B: each behind 00 00 01), some with zeros behind them. No more than 64 KiB of
 * it are looked at, where the last one ends then.
 */
export const nalsIn = (stream: Buffer): ReadonlyArray<Buffer> => {
  const searched = stream.subarray(0, maxSearched)
  const found: Array<Buffer> = []
  for (let at = searched.indexOf(startCode); at !== -1 && found.length < maxNals;) {
    const next = searched.indexOf(startCode, at + 3)
    found.push(searched.subarray(at + 3, next === -1 ? searched.length : next))
    at = next
  }
  return found
}

/** The first sequence parameter set of a byte stream. */
export const spsIn = (stream: Buffer): Buffer | undefined => nalsIn(stream).find(isSps)
