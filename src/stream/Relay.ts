import type { Connection } from "../ground/Tcp.ts"
import type { Moment } from "../ground/Time.ts"
import { type HearKlv, takeRtpKlv } from "../media/klv/RtpKlv.ts"
import { beginsBFrame } from "../media/BFrames.ts"
import { isEmptyFragment, type Keyframe, keyframesOf } from "../media/Keyframes.ts"
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

/** What is seen in the packets of the video, without their four bytes of header (RFC 2326, 10.12). */
interface VideoWatch {
  readonly channel: number
  readonly look: (bytes: Buffer, start: number, end: number) => void
  /** whole pictures so far */
  readonly pictures: () => number
  /** whether there is metadata in it; undefined: that would be a track of its own */
  readonly hasKlv: (() => boolean | undefined) | undefined
}

const watchVideo = ({ channel, media }: Track, { bFrame, keyframe, klv }: RelayEars): VideoWatch => {
  const transport = media.encoding === "mp2t" ? readTransport(klv) : undefined
  const take = transport?.take ?? keyframesOf(media.encoding, parameterSetsOf(media))
  /** whether B-frames have come; undefined: that is known, or of no interest */
  let seesBFrame: Look | undefined = transport?.hasBFrames ?? (media.encoding === "h264" ? beginsBFrame : undefined)
  /** packets with a marker: the last ones of pictures (RFC 3550, 5.1), but for a transport stream's */
  let markers = 0
  return {
    channel,
    look: (bytes, start, end) => {
      if (((bytes[start + 1] ?? 0) & 0x80) !== 0) markers++
      const whole = take?.(bytes, start, end)
      if (whole !== undefined) keyframe(whole)
      if (seesBFrame?.(bytes, start, end) !== true) return
      seesBFrame = undefined
      bFrame()
    },
    pictures: transport?.pictures ?? (() => markers),
    hasKlv: transport?.hasKlv
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

export const makeRelay = (now: () => Moment, ears: RelayEars): Relay => {
  const isWanted = new Uint8Array(256)
  /** by the channel of their packets */
  const fitness = new Map<number, Look>()
  const takeKlv = takeRtpKlv(ears.klv)
  let out: Connection | undefined
  let video: VideoWatch | undefined
  let klvChannel: number | undefined
  let hasKlv: () => boolean | undefined = () => undefined
  let movedAt: number | undefined
  /** a packet of the video was in what came last */
  let hasMoved = false

  const endless = (): void => {
    isWanted.fill(0)
    ears.wrong("its metadata has no end")
  }

  return {
    to: (connection, tracks) => {
      for (const track of tracks) {
        // and what is told of them (RTCP)
        isWanted.fill(1, track.channel, track.channel + 2)
        fitness.set(track.channel, fitnessOf(track, endless))
      }
      const [first] = tracks
      if (first !== undefined) video = watchVideo(first, ears)
      klvChannel = tracks.find(({ media }) => isKlv(media))?.channel
      hasKlv = video?.hasKlv ?? (() => klvChannel !== undefined)
      out = connection
    },
    frame: (channel, bytes, start, end) => {
      if (isWanted[channel] !== 1 || end - start < leastFrame) return false
      const packet = start + 4
      if (fitness.get(channel)?.(bytes, packet, end) === false) return false
      if (channel === video?.channel) {
        hasMoved = true
        video.look(bytes, packet, end)
      } else if (channel === klvChannel) takeKlv(bytes, packet, end)
      return true
    },
    frames: (bytes) => {
      if (out === undefined) return
      out.send(bytes)
      if (out.unsent() > maxUnsent) ears.choked()
      if (!hasMoved) return
      hasMoved = false
      if (movedAt === undefined) ears.started()
      movedAt = now().monotonic
    },
    movedAt: () => movedAt,
    pictures: () => video?.pictures() ?? 0,
    hasKlv: () => hasKlv()
  }
}
