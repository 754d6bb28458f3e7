import type { FormatSpec } from "../camera/CameraSpec.ts"

/** One size of a pixel format at these rates, in frames a second. */
const formatOf =
  (pixelFormat: FormatSpec["pixelFormat"]) =>
  (width: number, height: number, ...rates: ReadonlyArray<number>): FormatSpec => ({
    pixelFormat,
    sizes: [{ width, height, rates }]
  })

export const mjpg = formatOf("MJPG")
export const yuyv = formatOf("YUYV")
export const h264 = formatOf("H264")
