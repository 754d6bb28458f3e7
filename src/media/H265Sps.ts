import { Bits } from "./Bits.ts"
import { cropUnit, readCropping } from "./Cropping.ts"
import { payload } from "./Sps.ts"

/** What an H.265 sequence parameter set (ITU-T H.265, 7.3.2.2 and 7.3.3) says of the pictures. */
export interface H265Sps {
  readonly profileIdc: number
  /** 30 times the level: 120 is level 4.0 */
  readonly levelIdc: number
  /** of the picture that is shown, after cropping */
  readonly width: number
  readonly height: number
}

/** The type in the first byte of a NAL unit (7.3.1.2). */
const h265Type = (first: number): number => (first >> 1) & 0x3f

export const isH265Sps = (nal: Uint8Array): boolean => h265Type(nal[0] ?? 0) === 33

const skip = (read: Bits, bits: number): void => {
  for (let left = bits; left > 0; left -= 16) read.take(Math.min(16, left))
}

/** `nal` is one SPS NAL unit without its start code. Throws a RangeError when it is cut short or is no SPS. */
export const parseH265Sps = (nal: Uint8Array): H265Sps => {
  if (!isH265Sps(nal)) throw new RangeError("not a sequence parameter set")
  const read = new Bits(payload(nal, 2))
  read.take(4)
  const subLayers = read.take(3)
  read.take(1 + 3)
  const profileIdc = read.take(5)
  skip(read, 80)
  const levelIdc = read.take(8)
  const present = Array.from({ length: subLayers }, () => ({ profile: read.take(1), level: read.take(1) }))
  if (subLayers > 0) skip(read, 2 * (8 - subLayers))
  for (const { level, profile } of present) skip(read, profile * 88 + level * 8)
  read.unsigned()
  const chromaFormatIdc = read.unsigned()
  const separatePlanes = chromaFormatIdc === 3 && read.take(1) === 1
  const [width, height] = [read.unsigned(), read.unsigned()]
  const { columns, rows } = readCropping(read)
  if (read.isOver) throw new RangeError("the SPS ends early")
  const unit = cropUnit(separatePlanes ? 0 : chromaFormatIdc)
  return { profileIdc, levelIdc, width: width - unit.width * columns, height: height - unit.height * rows }
}

/** The profile's name (A.3); its number where it has no common one. */
export const h265ProfileName = ({ profileIdc }: H265Sps): string =>
  ({ 1: "main", 2: "main 10", 3: "main still picture" })[profileIdc] ?? `${profileIdc}`
