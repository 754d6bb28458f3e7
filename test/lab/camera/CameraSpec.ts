import type { ControlName } from "./Controls.ts"

export type PixelFormat = "MJPG" | "YUYV" | "H264"

export interface SizeSpec {
  /** a multiple of 320, so that the row of squares can be found in a scaled picture */
  readonly width: number
  readonly height: number
  /** frames a second */
  readonly rates: ReadonlyArray<number>
}

export interface FormatSpec {
  readonly pixelFormat: PixelFormat
  /** the first is the camera's own choice */
  readonly sizes: ReadonlyArray<SizeSpec>
}

export interface ControlSpec {
  readonly name: ControlName
  readonly minimum?: number
  readonly maximum?: number
  /** of `exposureMode`: the modes that there are, as bits */
  readonly step?: number
  readonly default?: number
  /** the camera takes more than this without a word, and uses this */
  readonly clampsAt?: number
}

/** What a camera is. */
export interface CameraSpec {
  /** what it calls itself */
  readonly name: string
  readonly serial?: string
  readonly vendorId?: number
  readonly productId?: number
  readonly formats: ReadonlyArray<FormatSpec>
  /** whether its JPEGs carry their Huffman tables, as they do by default; many cameras leave them out */
  readonly huffmanTables?: boolean
  /** what its H.264 really is; the baseline by default */
  readonly h264?: H264Profile
  readonly controls?: ReadonlyArray<ControlSpec>
  /** the bus has no bandwidth left for it: STREAMON fails with ENOSPC */
  readonly busFull?: boolean
  /** so many frames after each start are black, as with cameras that wake up; not with H264 */
  readonly darkFrames?: number
  /** it has a microphone, which the kernel is not done with until the camera lets it */
  readonly slowMicrophone?: boolean
}

export type H264Profile = "constrained baseline" | "high"
