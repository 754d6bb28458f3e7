import type { Connection } from "../ground/Tcp.ts"
import type { Moment } from "../ground/Time.ts"
import { type Keyframe, keyframesOf, type TakeKeyframe } from "../media/Keyframes.ts"
import { parameterSetsOf } from "../media/Sdp.ts"
import { readTransport } from "../media/TransportStream.ts"
import type { Hearing } from "../rtsp/Reader.ts"
import type { Track } from "../rtsp/Session.ts"

/** What MediaMTX has yet to take, in bytes, when it is given up: some seconds of a large stream. */
const maxUnsent = 16 << 20

/** What is told of what passes. */
export interface RelayEars {
  readonly keyframe: (keyframe: Keyframe) => void
  /** the first packet of the video */
  readonly started: () => void
  /** MediaMTX does not take what is sent */
  readonly choked: () => void
}

/** Hands packets on as they come, and looks at those of the video. */
export interface Relay extends Omit<Hearing, "message"> {
  /** from now on these tracks go there */
  readonly to: (connection: Connection, tracks: ReadonlyArray<Track>) => void
  /** monotonic milliseconds of the video's last packet */
  readonly movedAt: () => number | undefined
  /** whole pictures of the video so far */
  readonly pictures: () => number
}

export const makeRelay = (now: () => Moment, { choked, keyframe, started }: RelayEars): Relay => {
  const isWanted = new Uint8Array(256)
  let out: Connection | undefined
  let videoChannel = -1
  let take: TakeKeyframe | undefined
  let movedAt: number | undefined
  /** packets with a marker: the last ones of pictures (RFC 3550, 5.1) */
  let markers = 0
  let pictures = () => markers
  /** a packet of the video was in what came last */
  let hasMoved = false

  return {
    to: (connection, tracks) => {
      for (const { channel } of tracks) isWanted.fill(1, channel, channel + 2)
      const [video] = tracks
      if (video !== undefined) {
        videoChannel = video.channel
        const transport = video.media.encoding === "mp2t" ? readTransport() : undefined
        take = transport?.take ?? keyframesOf(video.media.encoding, parameterSetsOf(video.media))
        // a marker has another meaning there
        pictures = transport?.pictures ?? pictures
      }
      out = connection
    },
    frame: (channel, bytes, start, end) => {
      if (channel === videoChannel && end - start > 16) {
        hasMoved = true
        if (((bytes[start + 5] ?? 0) & 0x80) !== 0) markers++
        const whole = take?.(bytes, start + 4, end)
        if (whole !== undefined) keyframe(whole)
      }
      return isWanted[channel] === 1
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
    pictures: () => pictures()
  }
}
