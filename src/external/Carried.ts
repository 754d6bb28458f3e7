import * as Schema from "effect/Schema"
import type { Format } from "../device/Device.ts"
import type { Sent } from "../device/Input.ts"
import { usualName } from "../media/CodecNames.ts"
import type { Described } from "../rtsp/Probe.ts"

/** What a stream was seen to carry. Pure. */
export const Carried = Schema.Struct({
  /** as RTP names it, in lower case */
  codec: Schema.String,
  width: Schema.optionalKey(Schema.Finite),
  height: Schema.optionalKey(Schema.Finite),
  /** frames a second */
  rate: Schema.optionalKey(Schema.Finite),
  profile: Schema.optionalKey(Schema.String),
  level: Schema.optionalKey(Schema.String),
  hasBFrames: Schema.optionalKey(Schema.Boolean),
  audioCodec: Schema.optionalKey(Schema.String),
  /** absent: nobody has looked into its transport stream */
  hasKlv: Schema.optionalKey(Schema.Boolean)
})
export type Carried = typeof Carried.Type

export const carriedIn = ({ audioCodec, hasKlv, video }: Described): Carried => {
  const { clockRate: _hz, height, width, ...said } = video
  return {
    ...said,
    ...(width === undefined || height === undefined ? {} : { width, height }),
    ...(audioCodec === undefined ? {} : { audioCodec }),
    ...(hasKlv === undefined ? {} : { hasKlv })
  }
}

/** As it is told now; B-frames that were seen are there as long as nothing else is told of its pictures. */
export const withSeen = (told: Carried, before: Carried | undefined): Carried => {
  const isSilent = before?.hasBFrames === true && told.hasBFrames === undefined
  return isSilent && pictureKeys.every((key) => before[key] === told[key]) ? { ...told, hasBFrames: true } : told
}

const pictureKeys = ["codec", "width", "height", "profile", "level"] as const satisfies ReadonlyArray<keyof Carried>

/** With what a run of it has shown: all that is known where it was never asked, and B-frames of which it says nothing. */
export const withShown = (before: Carried | undefined, shown: Sent): Carried => {
  if (before === undefined) return shown
  return shown.hasBFrames === true && before.hasBFrames !== true ? { ...before, hasBFrames: true } : before
}

const sameKeys = [
  "codec",
  "width",
  "height",
  "rate",
  "profile",
  "level",
  "hasBFrames",
  "audioCodec",
  "hasKlv"
] as const satisfies ReadonlyArray<keyof Carried>

export const isSame = (one: Carried | undefined, other: Carried): boolean =>
  one !== undefined && sameKeys.every((key) => one[key] === other[key])

/** In words for clients: `h264`, `1280x720`, `aac`, `klv`. */
export const capabilitiesOf = (carried: Carried | undefined): ReadonlyArray<string> => {
  if (carried === undefined) return []
  const { audioCodec, codec, hasKlv, height, width } = carried
  const usual = (name: string | undefined) => (name === undefined ? [] : [usualName(name)])
  const size = width === undefined ? [] : [`${width}x${height}`]
  return [...usual(codec), ...size, ...usual(audioCodec), ...(hasKlv === true ? ["klv"] : [])]
}

/** The kernel's characters (videodev2.h) of what RTP names; of others these names are theirs too. */
const pixelFormats: Readonly<Record<string, string>> = { h265: "HEVC", jpeg: "MJPG", mp2t: "MPEG" }

/** As cameras of this machine tell what they deliver. */
export const formatsIn = (carried: Carried | undefined): ReadonlyArray<Format> => {
  if (carried === undefined) return []
  const { codec, height, rate, width } = carried
  const pixelFormat = pixelFormats[codec] ?? codec.toUpperCase()
  if (width === undefined || height === undefined) return [{ pixelFormat, sizes: [] }]
  return [{ pixelFormat, sizes: [{ width, height, rates: rate === undefined ? [] : [rate] }] }]
}
