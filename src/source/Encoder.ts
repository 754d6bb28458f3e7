import type { Boot } from "../config/BootSettings.ts"
import type { Live } from "../config/LiveSettings.ts"
import { maxFrameRate, type ProfileName } from "./Profile.ts"

/** What makes H.264 of pictures: the processor, or hardware (V4L2 memory-to-memory, VA-API). */
export type Encoder =
  | { readonly name: "libx264" | "h264_v4l2m2m" }
  /** `device`: its render node */
  | { readonly name: "h264_vaapi"; readonly device: string }

/** An encoder, and in words why it and no other. */
export interface EncoderChoice {
  readonly encoder: Encoder
  readonly why: string
}

export const isHardware = ({ name }: { readonly name: string }): boolean => name.startsWith("h264_")

/** What the configuration says of encoding. */
export interface Encoding {
  readonly profile: ProfileName
  readonly bitrateKbps: number
  /** 1 to 100 */
  readonly jpegQuality: number
}

export const encodingOf = (boot: Boot, { codec, snapshots }: Live): Encoding => ({
  profile: boot.codec.profile,
  bitrateKbps: codec.bitrate_kbps,
  jpegQuality: snapshots.jpeg_quality
})

/** What is to come out. */
export interface Output {
  readonly fps: number
  /** FFmpeg's, where frames need one: such as one that scales */
  readonly filter: string | undefined
}

/** As FFmpeg's filter. */
export const scaleTo = ({ height, width }: { readonly width: number; readonly height: number }): string =>
  `scale=${width}:${height}`

/**
 * Recordings and readers wait for the next keyframe. At 600 kbit/s (640 × 480 at 30, x264, two test patterns of 10 s) 0.4 s
 * between them cost 0.03 and 0.3 dB of PSNR against one second, and nothing that SSIM sees; 0.33 s cost 0.5.
 */
const keyframeSeconds = 0.4

/**
 * A stream's start has more keyframes, so that the readers who waited see it at once: they come some 60 ms after its first
 * frame, and each keyframe that they have to wait for is a frame's time away at first. Seconds from the start, and the
 * seconds between keyframes until then.
 */
const eager = [
  { until: 0.5, every: 0 },
  { until: 2, every: 0.12 }
]

/** Whether FFmpeg is to make a keyframe of the frame at `t`; `prev_forced_t` is no number before the first one. */
const forcedKeyframes = `expr:${eager.reduceRight(
  (later, { every, until }) => `if(lt(t,${until}),not(lt(t-prev_forced_t,${every})),${later})`,
  "0"
)}`

/** libavcodec's number of constrained baseline: baseline with constraint_set1_flag (avcodec.h). */
const constrainedBaseline = "578"

const baseline = ({ name }: Encoder): ReadonlyArray<string> => {
  switch (name) {
    case "libx264":
      return ["-profile:v", "baseline", "-level:v", "3.0"]
    case "h264_vaapi":
      return ["-profile:v", "constrained_baseline", "-level:v", "3"]
    case "h264_v4l2m2m":
      // it leaves the level to the driver, which claims what the hardware can do; ours follows from size and rate
      return ["-profile:v", constrainedBaseline, "-bsf:v", "h264_metadata=level=3"]
  }
}

const codecOptions = ({ name }: Encoder): ReadonlyArray<string> => {
  switch (name) {
    case "libx264":
      return ["-c:v", name, "-preset", "ultrafast", "-tune", "zerolatency", "-pix_fmt", "yuv420p"]
    case "h264_vaapi":
      // more than one frame in the works would be as many frames of delay
      return ["-c:v", name, "-async_depth", "1"]
    case "h264_v4l2m2m":
      return ["-c:v", name, "-pix_fmt", "yuv420p"]
  }
}

/** What has to stand before the input. */
export const hardwareArguments = (encoder: Encoder): ReadonlyArray<string> =>
  encoder.name === "h264_vaapi" ? ["-vaapi_device", encoder.device] : []

/** FFmpeg's arguments from decoded frames to H.264, without the output's format and place. */
export const encodeArguments = (encoder: Encoder, encoding: Encoding, output: Output): ReadonlyArray<string> => {
  const { filter, fps } = output
  const rate = `${encoding.bitrateKbps}k`
  const filters = [
    ...(filter === undefined ? [] : [filter]),
    ...(encoder.name === "h264_vaapi" ? ["format=nv12", "hwupload"] : [])
  ]
  return [
    ...(filters.length > 0 ? ["-vf", filters.join(",")] : []),
    ...["-r", String(fps), ...codecOptions(encoder)],
    ...(encoding.profile === "none" ? [] : baseline(encoder)),
    ...["-b:v", rate, "-maxrate", rate, "-bufsize", rate, "-bf", "0"],
    ...["-g", String(Math.max(1, Math.round(fps * keyframeSeconds)))],
    "-force_key_frames",
    forcedKeyframes
  ]
}

/** A third of a second of a test pattern through the encoder, exactly as a camera's frames would go, to standard output. */
export const trialArguments = (encoder: Encoder, encoding: Encoding): ReadonlyArray<string> => {
  const [width, height] = [640, 480]
  const fps = Math.min(30, Math.floor(maxFrameRate(encoding.profile, width, height)))
  return [
    ...hardwareArguments(encoder),
    ...["-f", "lavfi", "-i", `testsrc2=size=${width}x${height}:rate=${fps}`, "-frames:v", "10"],
    ...encodeArguments(encoder, encoding, { fps, filter: undefined }),
    ...["-f", "h264", "pipe:1"]
  ]
}
