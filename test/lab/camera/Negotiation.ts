import type { CameraSpec, FormatSpec, SizeSpec } from "./CameraSpec.ts"
import { frameBytes, intervalOf, payloadBytes } from "./Descriptors.ts"

/** What the host and the camera agree upon before frames flow: USB Video Class 1.1, 4.3.1.1, table 4-47. */
export interface Agreement {
  readonly format: FormatSpec
  readonly size: SizeSpec
  readonly rate: number
}

const length = 34

const nearest = (rates: ReadonlyArray<number>, interval: number): number =>
  rates.reduce((best, rate) =>
    Math.abs(intervalOf(rate) - interval) < Math.abs(intervalOf(best) - interval) ? rate : best
  )

/** The nearest to what was asked for that this camera has; undefined for one without formats. */
const agreement = (spec: CameraSpec, format: number, frame: number, interval: number): Agreement | undefined => {
  const chosen = spec.formats[format - 1] ?? spec.formats[0]
  const size = chosen?.sizes[frame - 1] ?? chosen?.sizes[0]
  if (chosen === undefined || size === undefined) return undefined
  return { format: chosen, size, rate: nearest(size.rates, interval) }
}

export const firstAgreement = (spec: CameraSpec): Agreement | undefined => agreement(spec, 1, 1, 0)

export const readAgreement = (spec: CameraSpec, bytes: Buffer): Agreement | undefined =>
  bytes.length < 8 ? undefined : agreement(spec, bytes.readUInt8(2), bytes.readUInt8(3), bytes.readUInt32LE(4))

export const writeAgreement = (spec: CameraSpec, { format, rate, size }: Agreement): Buffer => {
  const bytes = Buffer.alloc(length)
  // bmHint: the frame interval is what matters
  bytes.writeUInt16LE(1, 0)
  bytes.writeUInt8(spec.formats.indexOf(format) + 1, 2)
  bytes.writeUInt8(format.sizes.indexOf(size) + 1, 3)
  bytes.writeUInt32LE(intervalOf(rate), 4)
  bytes.writeUInt32LE(frameBytes(size), 18)
  bytes.writeUInt32LE(spec.busFull === true ? 3072 : payloadBytes, 22)
  return bytes
}
