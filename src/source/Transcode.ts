import type { Sent } from "../device/Input.ts"
import { usualName } from "../media/CodecNames.ts"
import { type EncoderChoice, type Encoding, scaleTo } from "./Encoder.ts"
import type { Making } from "./Making.ts"
import { fitFrame, maxFrameRate, type ProfileName } from "./Profile.ts"

/** How what a camera sends is made H.264 that meets the profile, with Opus beside it: what every browser plays. */
export interface Transcode extends Making {
  readonly encoding: Encoding
  /** FFmpeg's filter */
  readonly scale: string
}

/** Of a camera that does not say, or says what cannot be. */
const usualRate = 25
const isRate = (rate: number): boolean => rate >= 5 && rate <= 60

/** The largest frame that level 3.0 allows in any shape (1,620 macroblocks), for one whose size is not known. */
const box = { width: 720, height: 576 }
const intoBox = `scale='min(iw,${box.width})':'min(ih,${box.height})':force_original_aspect_ratio=decrease:force_divisible_by=2`

/** RTP's names of what WebRTC plays, and HLS; browsers that play H.265 are few. */
const played = {
  webrtc: { audio: new Set(["opus", "pcmu", "pcma", "g722"]), bFrames: false },
  hls: { audio: new Set(["opus", "mpeg4-generic", "mp4a-latm"]), bFrames: true }
}
export type BrowserProtocol = keyof typeof played

const nameOf = (codec: string): string => usualName(codec).toUpperCase()

/** Whether its H.264 may be passed on as it is: it has no B-frames, and meets the profile as far as it was told. */
const passes = (
  profile: ProfileName,
  { codec, hasBFrames, height = 0, level, profile: own, rate = 0, width = 0 }: Sent
) => {
  if (codec !== "h264" || hasBFrames !== false) return false
  if (profile === "none") return true
  return own === "constrained baseline" && Number(level) <= 3 && rate <= maxFrameRate(profile, width, height)
}

/**
 * Why browsers do not play what the camera sends, for people; undefined: they do. For its sound alone no picture is made
 * less: that is a reason where the picture is passed on.
 */
export const whyNotPlayed = (protocol: BrowserProtocol, profile: ProfileName, sent: Sent): string | undefined => {
  const { audio, bFrames } = played[protocol]
  const { audioCodec, codec, hasBFrames } = sent
  // a transport stream of which no more is known
  if (codec === "mp2t") return undefined
  if (codec !== "h264") return `few browsers play ${nameOf(codec)}`
  if (hasBFrames === true && !bFrames) return "WebRTC has no B-frames"
  if (audioCodec === undefined || audio.has(audioCodec) || !passes(profile, sent)) return undefined
  return `browsers play no ${nameOf(audioCodec)} over ${protocol === "hls" ? "HLS" : "WebRTC"}`
}

/** `avoided`: why the camera's own H.264 is not to be passed on, where that was found. */
export const planTranscode = (
  sent: Sent | undefined,
  encoding: Encoding,
  { encoder, why }: EncoderChoice,
  avoided: string | undefined
): Transcode => {
  const { profile } = encoding
  const { codec = "video", height = 0, rate: told = 0, width = 0 } = sent ?? {}
  const isCopied = sent !== undefined && avoided === undefined && passes(profile, sent)
  const isKnown = width > 0 && height > 0
  const frame = isCopied ? { width, height } : isKnown ? fitFrame(profile, width, height) : { width: 0, height: 0 }
  const { height: limited, width: limiting } = isKnown ? frame : box
  const rate = isRate(told) ? told : usualRate
  const fps = isCopied ? told : Math.min(rate, Math.floor(maxFrameRate(profile, limiting, limited)))
  const delivers = `${nameOf(codec)}${isKnown ? ` ${width}x${height}` : ""}${told > 0 ? ` at ${told}/s` : ""}`
  const reason = isCopied
    ? "the camera's own H.264 meets the profile"
    : (avoided ?? "what the camera sends does not meet the profile, or not every browser plays it")
  const made = isCopied ? "copy" : `${encoder.name} ${isKnown ? `${frame.width}x${frame.height} ` : ""}at ${fps}/s`
  return {
    ...frame,
    delivers,
    fps,
    encoding,
    encoder: isCopied ? { name: "copy" } : encoder,
    // also where it has that size: what comes may be another than was seen
    scale: isKnown ? scaleTo(frame) : intoBox,
    why: isCopied ? reason : `${reason}; ${why}`,
    summary: `network ${delivers} -> ${made}`
  }
}
