import type { Connection } from "../ground/Tcp.ts"
import type { Moment } from "../ground/Time.ts"
import { type HearKlv, takeRtpKlv } from "../media/klv/RtpKlv.ts"
import { beginsBFrame } from "../media/BFrames.ts"
import { isEmptyFragment, type Keyframe, keyframesOf, type TakeKeyframe } from "../media/Keyframes.ts"
import { payloadOf } from "../media/Rtp.ts"
import { parameterSetsOf } from "../media/Sdp.ts"
import { readTransport } from "../media/TransportStream.ts"
import type { Hearing } from "../rtsp/Reader.ts"
import { isKlv, type Track } from "../rtsp/Session.ts"

/** What MediaMTX has yet to take, in bytes, when it is given up: some seconds of a large stream. */
const maxUnsent = 16 << 20
/** MediaMTX keeps metadata until its end has come, however long that is; a set of it is some hundred bytes. */
const maxKlv = 1 << 20
/** With a header of RTP (RFC 3550, 5.1). */
const leastFrame = 4 + 12

/** What is told of what passes. */
export interface RelayEars {
  readonly keyframe: (keyframe: Keyframe) => void
  readonly klv: HearKlv
  /** the first B-frame (H.264) */
  readonly bFrame: () => void
  /** the first packet of the video */
  readonly started: () => void
  /** MediaMTX does not take what is sent */
  readonly choked: () => void
  /** the camera sends what cannot go on, and nothing does any more */
  readonly wrong: (detail: string) => void
}

/** Says something of the packet that stands in `bytes` from `start` to `end`. */
type Look = (bytes: Buffer, start: number, end: number) => boolean

/**
 * Whether a packet may go on: MediaMTX keeps those that have nothing in them, and of metadata all that has no end: `endless`
 * is told of that.
 */
const fitnessOf = ({ media }: Track, endless: () => void): Look => {
  const isMetadata = isKlv(media)
  let timestamp = -1
  let unended = 0
  return (bytes, start, end) => {
    const payload = payloadOf(bytes, start, end)
    if (payload === undefined || isEmptyFragment(media.encoding, bytes, ...payload)) return false
    if (!isMetadata) return true
    // MediaMTX passes over what has another type, or what it finds wrong in padding and extensions: that would end nothing
    const isPlain = ((bytes[start] ?? 0) & 0x30) === 0 && ((bytes[start + 1] ?? 0) & 0x7f) === media.payloadType
    if (!isPlain) return false
    const at = bytes.readUInt32BE(start + 4)
    if (at !== timestamp) unended = 0
    timestamp = at
    unended += end - start
    if (unended > maxKlv) {
      endless()
      return false
    }
    if (((bytes[start + 1] ?? 0) & 0x80) !== 0) unended = 0
    return true
  }
}

/** Hands packets on as they come, and looks at those of the video and of the metadata. */
export interface Relay extends Omit<Hearing, "message"> {
  /** from now on these tracks go there */
  readonly to: (connection: Connection, tracks: ReadonlyArray<Track>) => void
  /** monotonic milliseconds of the video's last packet */
  readonly movedAt: () => number | undefined
  /** whole pictures of the video so far */
  readonly pictures: () => number
  /** whether there is metadata in the stream; undefined: it has not said yet what is in it */
  readonly hasKlv: () => boolean | undefined
}

export const makeRelay = (now: () => Moment, { bFrame, choked, keyframe, klv, started, wrong }: RelayEars): Relay => {
  const isWanted = new Uint8Array(256)
  /** by the channel of their packets */
  const fitness = new Map<number, Look>()
  let out: Connection | undefined
  let videoChannel = -1
  let klvChannel = -1
  const takeKlv = takeRtpKlv(klv)
  let hasKlv: () => boolean | undefined = () => undefined
  let take: TakeKeyframe | undefined
  /** whether B-frames have come; undefined: that is known, or of no interest */
  let seesBFrame: Look | undefined
  let movedAt: number | undefined
  /** packets with a marker: the last ones of pictures (RFC 3550, 5.1) */
  let markers = 0
  let pictures = () => markers
  /** a packet of the video was in what came last */
  let hasMoved = false

  const endless = (): void => {
    isWanted.fill(0)
    wrong("its metadata has no end")
  }

  return {
    to: (connection, tracks) => {
      for (const track of tracks) {
        isWanted.fill(1, track.channel, track.channel + 2)
        fitness.set(track.channel, fitnessOf(track, endless))
      }
      const metadata = tracks.find(({ media }) => isKlv(media))
      klvChannel = metadata?.channel ?? klvChannel
      hasKlv = () => metadata !== undefined
      const [video] = tracks
      if (video !== undefined) {
        videoChannel = video.channel
        const transport = video.media.encoding === "mp2t" ? readTransport(klv) : undefined
        if (transport !== undefined) hasKlv = transport.hasKlv
        take = transport?.take ?? keyframesOf(video.media.encoding, parameterSetsOf(video.media))
        seesBFrame = transport?.hasBFrames ?? (video.media.encoding === "h264" ? beginsBFrame : undefined)
        // a marker has another meaning there
        pictures = transport?.pictures ?? pictures
      }
      out = connection
    },
    frame: (channel, bytes, start, end) => {
      if (isWanted[channel] !== 1 || end - start < leastFrame) return false
      if (fitness.get(channel)?.(bytes, start + 4, end) === false) return false
      if (channel === videoChannel) {
        hasMoved = true
        if (((bytes[start + 5] ?? 0) & 0x80) !== 0) markers++
        const whole = take?.(bytes, start + 4, end)
        if (whole !== undefined) keyframe(whole)
        if (seesBFrame?.(bytes, start + 4, end) === true) {
          seesBFrame = undefined
          bFrame()
        }
      } else if (channel === klvChannel) takeKlv(bytes, start + 4, end)
      return true
    },
    frames: (bytes) => {
      if (out === undefined) return
      out.send(bytes)
      if (out.unsent() > maxUnsent) choked()
      if (!hasMoved) return
      hasMoved = false
      if (movedAt === undefined) started()
      movedAt = now().monotonic
    },
    movedAt: () => movedAt,
    pictures: () => pictures(),
    hasKlv: () => hasKlv()
  }
}
