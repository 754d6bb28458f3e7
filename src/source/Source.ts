import type { CameraId } from "../../schema/Camera.ts"
import type { Device, FrameSize, Mode, ReadDevice } from "../device/Device.ts"
import type { ReadInput } from "../device/Input.ts"
import type { EncoderChoice, Encoding } from "./Encoder.ts"
import type { Making } from "./Making.ts"
import { inputFormatOf } from "./PixelFormats.ts"
import { fitFrame, maxFrameRate } from "./Profile.ts"

/** How to read a device and what to make of it: pure data, from which FFmpeg's arguments follow. */
export interface Source extends Making {
  readonly input: ReadInput
  /** FFmpeg's, to read that input so, `-i` included */
  readonly inputArguments: ReadonlyArray<string>
  /** what the camera is asked for */
  readonly captures: Mode
  /** frames come as JPEG pictures: a still is a copy of one, at the camera's own quality */
  readonly deliversJpeg: boolean
  /** the frame is scaled to the stream's size */
  readonly scaled: boolean
  readonly encoding: Encoding
}

/** What was learnt beside what a device says of itself. */
export interface Known {
  /** what encodes where something has to be encoded */
  readonly choice: EncoderChoice
  /** pixel formats of this device that proved bad, and how: read only where there is no other, and never passed through */
  readonly without: ReadonlyMap<string, string>
}

/** What is known of a device that was never read. */
const nothing: Known = { choice: { encoder: { name: "libx264" }, why: "" }, without: new Map() }

interface Choice {
  readonly pixelFormat: string
  readonly size: FrameSize
  /** that the camera is asked for */
  readonly rate: number
  /** the profile allows the frame's size as it is */
  readonly fits: boolean
  /** it is H.264 that may be published as it is */
  readonly passes: boolean
  /** the format proved bad */
  readonly isBad: boolean
}

/** Rates above these cost more than they show. */
const usualRate = { fitting: 60, scaled: 30 }

/** The device's own rate that comes nearest to the limit from below, or its slowest: then the stream leaves frames out. */
const bestRate = ({ rates }: FrameSize, limit: number): number => {
  const allowed = rates.filter((rate) => rate <= limit)
  return allowed.length > 0 ? Math.max(...allowed) : Math.min(...rates)
}

const choicesOf = (device: Device, encoding: Encoding, without: Known["without"]): ReadonlyArray<Choice> =>
  device.formats
    .filter(({ pixelFormat }) => inputFormatOf(pixelFormat) !== undefined)
    .flatMap(({ pixelFormat, sizes }) => {
      const isBad = without.has(pixelFormat)
      return sizes
        .filter(({ rates }) => rates.length > 0)
        .map((size): Choice => {
          const limit = maxFrameRate(encoding.profile, size.width, size.height)
          const fits = limit > 0
          const rate = bestRate(size, fits ? Math.min(limit, usualRate.fitting) : usualRate.scaled)
          return { pixelFormat, size, rate, fits, isBad, passes: pixelFormat === "H264" && !isBad && rate <= limit }
        })
    })

/** What it takes to have stills and the stream: from JPEG only the one, from pixels both, from H.264 its decoder too. */
const costOf = ({ pixelFormat }: Choice): number => {
  const format = inputFormatOf(pixelFormat)
  if (format === "mjpeg") return 0
  return format === "h264" ? 2 : 1
}

/** H.264 that may pass, then the largest frame that fits as it is, then the fastest, then the one that is cheapest. */
const choose = (choices: ReadonlyArray<Choice>): Choice | undefined => {
  const area = ({ size }: Choice): number => size.width * size.height
  return [...choices].sort(
    (a, b) =>
      Number(a.isBad) - Number(b.isBad) ||
      Number(b.passes) - Number(a.passes) ||
      Number(b.fits) - Number(a.fits) ||
      (a.fits ? area(b) - area(a) : area(a) - area(b)) ||
      b.rate - a.rate ||
      costOf(a) - costOf(b)
  )[0]
}

const inputArguments = (id: CameraId, input: ReadInput, { pixelFormat, rate, size }: Choice): ReadonlyArray<string> =>
  input.ffmpegArguments(id, {
    format: inputFormatOf(pixelFormat) ?? pixelFormat,
    width: size.width,
    height: size.height,
    rate
  })

/** Why the camera's own H.264 is not published. */
const whyEncoded = ({ formats, input }: ReadDevice, without: Known["without"]): string => {
  if (input.whyEncoded !== undefined) return input.whyEncoded
  if (formats.every(({ pixelFormat }) => pixelFormat !== "H264")) return "the camera has no H.264 of its own"
  return without.get("H264") ?? "the camera's own H.264 has no size and rate that the profile allows"
}

/** Why there is no way to read this device, for people: one that has not said yet what it delivers has a fault. */
export const whyNoSource = ({ fault, formats }: ReadDevice): string =>
  fault !== undefined && formats.length === 0
    ? `the camera has a fault: ${fault.detail}`
    : "the camera delivers no format that can be read"

/** How FFmpeg reads and encodes this device; undefined when it delivers nothing that can be read so. */
export const planSource = (device: ReadDevice, encoding: Encoding, known = nothing): Source | undefined => {
  const { input } = device
  const chosen = choose(choicesOf(device, encoding, known.without))
  if (chosen === undefined) return undefined
  const { pixelFormat, rate, size } = chosen
  const { profile } = encoding
  const frame = chosen.passes ? size : fitFrame(profile, size.width, size.height)
  const fps = chosen.passes ? rate : Math.min(rate, Math.floor(maxFrameRate(profile, frame.width, frame.height)))
  const encoder = chosen.passes ? ({ name: "copy" } as const) : known.choice.encoder
  const why = chosen.passes
    ? "the camera's own H.264 has a size and rate that the profile allows"
    : `${whyEncoded(device, known.without)}; ${known.choice.why}`
  const delivers = `${pixelFormat} ${size.width}x${size.height} at ${rate}/s`
  const constraint = profile === "none" ? "high" : "constrained baseline 3.0"
  const encoded = `${constraint} ${frame.width}x${frame.height} at ${fps}/s, ${encoding.bitrateKbps} kbit/s`
  return {
    input,
    inputArguments: inputArguments(device.id, input, chosen),
    captures: { pixelFormat, width: size.width, height: size.height, rate },
    deliversJpeg: inputFormatOf(pixelFormat) === "mjpeg",
    delivers,
    width: frame.width,
    height: frame.height,
    fps,
    scaled: frame.width !== size.width || frame.height !== size.height,
    encoder,
    encoding,
    why,
    summary: `${input.name} ${delivers} -> ${encoder.name}${chosen.passes ? "" : ` ${encoded}`} (${why})`
  }
}
