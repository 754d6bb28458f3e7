import type { Device, Format } from "../device/Device.ts"
import type { Encoder } from "./Encoder.ts"

/** How a stream is made, and what comes out. */
export interface Making {
  /** the camera's format, size and rate in words: `MJPG 640x480 at 30/s` */
  readonly delivers: string
  /** of the published stream; 0: not known */
  readonly width: number
  readonly height: number
  readonly fps: number
  /** `copy`: the camera's own video is published as it is */
  readonly encoder: Encoder | { readonly name: "copy" }
  /** why this encoder, in words */
  readonly why: string
  /** kind, size, rate and encoder, in words; no path */
  readonly summary: string
}

const whyCopied = "the camera streams by itself: what it sends is passed on as it comes"

/** Of a camera that streams by itself, by the format that it was found with; that of its present run may be another. */
export const makingOfRelay = ({ formats, input }: Device, [format]: ReadonlyArray<Format> = formats): Making => {
  const { height = 0, rates: [fps = 0] = [], width = 0 } = format?.sizes[0] ?? {}
  const size = width === 0 ? "" : ` ${width}x${height}`
  const delivers = `${format?.pixelFormat ?? "video"}${size}${fps === 0 ? "" : ` at ${fps}/s`}`
  return {
    delivers,
    width,
    height,
    fps,
    encoder: { name: "copy" },
    why: whyCopied,
    summary: `${input.name} ${delivers} -> copy (${whyCopied})`
  }
}
