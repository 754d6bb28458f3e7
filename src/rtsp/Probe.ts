import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type { Tcp } from "../ground/Tcp.ts"
import { unlessBroken } from "../media/Bits.ts"
import { h265ProfileName, isH265Sps, parseH265Sps } from "../media/H265Sps.ts"
import { keyframesOf } from "../media/Keyframes.ts"
import { parameterSetsOf, type SdpMedia } from "../media/Sdp.ts"
import { isSps, nalsIn, parseSps, profileName } from "../media/Sps.ts"
import { readTransport } from "../media/TransportStream.ts"
import { dial } from "./Dialogue.ts"
import { makeKeyframeEar } from "./KeyframeEar.ts"
import { unlessOtherWay } from "./OtherWay.ts"
import { describe, isKlv, play, worthHaving } from "./Session.ts"
import type { RtspTarget } from "./Target.ts"

/** What a stream's video is, by its description and its parameter sets; absent is what they do not say. */
export interface DescribedVideo {
  /** as RTP names it, in lower case: `h264`, `h265`, `jpeg`; `mp2t`: a transport stream of which no more is known */
  readonly codec: string
  /** of its RTP clock, in Hz */
  readonly clockRate: number
  readonly width?: number
  readonly height?: number
  /** frames a second */
  readonly rate?: number
  /** `constrained baseline`, `high`, … */
  readonly profile?: string
  readonly level?: string
  readonly hasBFrames?: boolean
}

/** What a camera says of its stream. */
export interface Described {
  readonly video: DescribedVideo
  /** the first audio track's, in lower case: `mpeg4-generic`, `pcmu` */
  readonly audioCodec?: string
  /** metadata (KLV, SMPTE 336M) comes with it, on a track of its own (RFC 6597) or in the transport stream; absent: nobody knows, its tables have not come */
  readonly hasKlv?: boolean
  /** SHA-256 of its certificate, in hex, where it was reached over TLS */
  readonly fingerprint?: string
}

/** For a keyframe, where the description says nothing of the pictures. */
const keyframeTime = "2 seconds"

/** Of a stream's video with these parameter sets. Hostile ones say nothing. */
export const describeVideo = (
  { clockRate, encoding, frameRate }: SdpMedia,
  sets: ReadonlyArray<Uint8Array>
): DescribedVideo => {
  const told = { codec: encoding, clockRate, ...(frameRate === undefined ? {} : { rate: frameRate }) }
  return { ...told, ...unlessBroken(() => shownIn(encoding, sets)) }
}

type Shown = Omit<DescribedVideo, "codec" | "clockRate">

const shownIn = (encoding: string, sets: ReadonlyArray<Uint8Array>): Shown => {
  const sps = encoding === "h264" ? sets.find(isSps) : undefined
  if (sps !== undefined) {
    const parsed = parseSps(sps)
    const { framesPerSecond, hasBFrames, height, levelIdc, width } = parsed
    return {
      width,
      height,
      profile: profileName(parsed),
      level: (levelIdc / 10).toFixed(1),
      ...(framesPerSecond > 0 ? { rate: Math.round(framesPerSecond * 100) / 100 } : {}),
      ...(hasBFrames === undefined ? {} : { hasBFrames })
    }
  }
  const h265 = encoding === "h265" ? sets.find(isH265Sps) : undefined
  if (h265 === undefined) return {}
  const parsed = parseH265Sps(h265)
  const { height, levelIdc, width } = parsed
  return { width, height, profile: h265ProfileName(parsed), level: (levelIdc / 30).toFixed(1) }
}

/** Asks a camera what its stream is, on a connection of its own; it plays only where the description does not say enough. */
export const probe = Effect.fn("Rtsp.probe")(function* (tcp: Tcp["Service"], target: RtspTarget) {
  const ear = makeKeyframeEar()
  const unlessOther = unlessOtherWay(tcp, target)
  const dialling = dial(tcp, target, ear)
  const dialogue = yield* target.isSecure ? unlessOther(dialling) : dialling
  const describing = describe(dialogue, target)
  const offer = yield* target.isSecure ? describing : unlessOther(describing)
  const wanted = yield* worthHaving(offer)
  const [video] = wanted
  if (video === undefined) return yield* Effect.die(new Error("nothing is worth having"))
  const fromSdp = describeVideo(video, parameterSetsOf(video))
  const transport = video.encoding === "mp2t" ? readTransport() : undefined
  const take = transport?.take ?? (fromSdp.width === undefined ? keyframesOf(video.encoding, []) : undefined)
  const fromStream = Effect.gen(function* () {
    yield* play(dialogue, offer, [video], ([track]) =>
      Effect.sync(() => {
        if (track !== undefined && take !== undefined) ear.listen(track.channel, take)
      })
    )
    const keyframe = yield* Effect.timeoutOption(Effect.raceFirst(ear.first, dialogue.ended), keyframeTime)
    return Option.match(keyframe, {
      onNone: () => fromSdp,
      onSome: ({ bytes, codec }) => describeVideo({ ...video, encoding: codec }, nalsIn(bytes))
    })
  })
  const seen = take === undefined ? fromSdp : yield* fromStream
  const audioCodec = transport?.audioCodec() ?? wanted.find(({ kind }) => kind === "audio")?.encoding
  const hasKlv = transport === undefined ? wanted.some(isKlv) : transport.hasKlv()
  const { fingerprint } = dialogue.connection
  return {
    video: seen,
    ...(audioCodec === undefined ? {} : { audioCodec }),
    ...(hasKlv === undefined ? {} : { hasKlv }),
    ...(fingerprint === undefined ? {} : { fingerprint })
  } satisfies Described as Described
}, Effect.scoped)
