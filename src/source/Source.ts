import type { Device, FrameSize } from "../device/Device.ts"
import { fitFrame, maxFrameRate, type ProfileName } from "./Profile.ts"
import { testPattern } from "./TestPattern.ts"

/** What the configuration says of encoding. */
export interface Encoding {
  readonly profile: ProfileName
  readonly bitrateKbps: number
  /** 1 to 100 */
  readonly jpegQuality: number
}

/** How to read a device and what to make of it: pure data, from which FFmpeg's arguments follow. */
export interface Source {
  readonly kind: Device["kind"]
  /** FFmpeg's input arguments, `-i` included */
  readonly input: ReadonlyArray<string>
  /** frames come as JPEG pictures: a still is a copy of one, at the camera's own quality */
  readonly deliversJpeg: boolean
  /** of the published stream */
  readonly width: number
  readonly height: number
  readonly fps: number
  /** the frame is scaled to the stream's size */
  readonly scaled: boolean
  readonly encoding: Encoding
  /** kind, size, rate and encoder, in words; no path */
  readonly summary: string
}

interface Choice {
  readonly pixelFormat: string
  readonly size: FrameSize
  readonly fps: number
}

/** FFmpeg's names of the pixel formats that it reads from V4L2 without conversion of ours. */
const inputFormats: Readonly<Record<string, string>> = {
  MJPG: "mjpeg",
  JPEG: "mjpeg",
  YUYV: "yuyv422",
  UYVY: "uyvy422",
  NV12: "nv12",
  YU12: "yuv420p",
  RAW: "raw"
}

const bestRate = (size: FrameSize, limit: number): number => {
  const allowed = size.rates.filter((rate) => rate <= limit)
  return allowed.length > 0 ? Math.max(...allowed) : Math.min(...size.rates, limit)
}

/** The largest frame that the profile allows as it is, then the fastest, then the one that is cheapest to read. */
const choose = (device: Device, profile: ProfileName): Choice | undefined => {
  const choices = device.formats
    .filter(({ pixelFormat }) => pixelFormat in inputFormats)
    .flatMap(({ pixelFormat, sizes }) =>
      sizes
        .filter(({ rates }) => rates.length > 0)
        .map((size): Choice & { fits: boolean } => {
          const limit = maxFrameRate(profile, size.width, size.height)
          // a frame that is too large is scaled down, so its own rate counts up to what is usual
          return { pixelFormat, size, fps: bestRate(size, limit === 0 ? 30 : Math.min(limit, 60)), fits: limit > 0 }
        })
    )
  const area = ({ size }: Choice): number => size.width * size.height
  return choices.sort(
    (a, b) =>
      Number(b.fits) - Number(a.fits) ||
      (a.fits ? area(b) - area(a) : area(a) - area(b)) ||
      b.fps - a.fps ||
      Number(b.pixelFormat === "MJPG") - Number(a.pixelFormat === "MJPG")
  )[0]
}

const inputOf = (device: Device, { fps, pixelFormat, size }: Choice): ReadonlyArray<string> =>
  device.kind === "synthetic"
    ? ["-f", "lavfi", "-i", testPattern(device.id, size.width, size.height, fps)]
    : [
        ...["-f", "v4l2", "-input_format", inputFormats[pixelFormat] ?? pixelFormat],
        ...["-video_size", `${size.width}x${size.height}`, "-framerate", String(fps)],
        // the device's clock drifts against ours, and what is recorded is cut by ours
        ...["-use_wallclock_as_timestamps", "1", "-i", device.node]
      ]

/** How this device is read and encoded; undefined when it delivers nothing that can be. */
export const planSource = (device: Device, encoding: Encoding): Source | undefined => {
  const choice = choose(device, encoding.profile)
  if (choice === undefined) return undefined
  const { profile } = encoding
  const frame = fitFrame(profile, choice.size.width, choice.size.height)
  const fps = Math.min(choice.fps, Math.floor(maxFrameRate(profile, frame.width, frame.height)))
  const scaled = frame.width !== choice.size.width || frame.height !== choice.size.height
  return {
    kind: device.kind,
    input: inputOf(device, choice),
    deliversJpeg: inputFormats[choice.pixelFormat] === "mjpeg",
    ...frame,
    fps,
    scaled,
    encoding,
    summary: [
      `${device.kind} ${choice.pixelFormat} ${choice.size.width}x${choice.size.height} at ${choice.fps}/s`,
      `libx264 ${profile === "none" ? "high" : "constrained baseline 3.0"} ${frame.width}x${frame.height} at ${fps}/s, ${encoding.bitrateKbps} kbit/s`
    ].join(" -> ")
  }
}
