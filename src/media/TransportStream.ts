import { isBSlice } from "./BFrames.ts"
import type { Keyframe, TakeKeyframe } from "./Keyframes.ts"
import { numberAnew, type PesKlv, takePesKlv } from "./klv/PesKlv.ts"
import type { HearKlv } from "./klv/RtpKlv.ts"
import { PictureBytes } from "./PictureBytes.ts"
import { payloadOf } from "./Rtp.ts"
import { nalsIn } from "./Sps.ts"

/** Reads an MPEG-2 transport stream (ISO/IEC 13818-1) in RTP packets (RFC 2250) as far as keyframes and KLV need it. */
export interface TransportReader {
  readonly take: TakeKeyframe
  /** pictures of its video so far */
  readonly pictures: () => number
  /** B-frames were among them (H.264) */
  readonly hasBFrames: () => boolean
  /** it says that it carries metadata (MISB ST 1402: KLV, synchronous or not); undefined: its tables have not come yet */
  readonly hasKlv: () => boolean | undefined
  /** of its first audio, as RTP names it; undefined: it has none, or its tables have not come yet */
  readonly audioCodec: () => string | undefined
}

const packetLength = 188
const sync = 0x47

/** Table 2-34 and its amendments. */
const videos: ReadonlyMap<number, Keyframe["codec"]> = new Map([
  [0x1b, "h264"],
  [0x24, "h265"]
])
const audios: ReadonlyMap<number, string> = new Map([
  [0x03, "mpa"],
  [0x04, "mpa"],
  [0x0f, "mpeg4-generic"],
  [0x11, "mp4a-latm"],
  [0x81, "ac3"]
])
const metadata = 0x15
const privateData = 0x06
const registration = Buffer.from("KLVA")
const startCode = Buffer.from([0, 0, 1])

/** A section (2.4.4) that is whole in one packet, as the tables of a camera are; without its checksum. */
const sectionIn = (payload: Buffer, table: number): Buffer | undefined => {
  const at = 1 + (payload[0] ?? 0)
  if (payload.length < at + 8 || payload[at] !== table) return undefined
  const end = at + 3 + (payload.readUInt16BE(at + 1) & 0x0fff) - 4
  return end > at + 8 && end <= payload.length ? payload.subarray(at, end) : undefined
}

/** Where the programme's map stands: of the first programme of the association table (2.4.4.3). */
const mapIn = (section: Buffer): number | undefined => {
  for (let at = 8; at + 4 <= section.length; at += 4) {
    if (section.readUInt16BE(at) !== 0) return section.readUInt16BE(at + 2) & 0x1fff
  }
  return undefined
}

interface Elementary {
  readonly type: number
  readonly pid: number
  readonly descriptors: Buffer
}

/** The streams that a programme's map (2.4.4.8) names. */
const streamsIn = (section: Buffer): ReadonlyArray<Elementary> => {
  const found: Array<Elementary> = []
  if (section.length < 12) return found
  for (let at = 12 + (section.readUInt16BE(10) & 0x0fff); at + 5 <= section.length;) {
    const next = at + 5 + (section.readUInt16BE(at + 3) & 0x0fff)
    if (next > section.length) break
    const descriptors = section.subarray(at + 5, next)
    found.push({ type: section[at] ?? 0, pid: section.readUInt16BE(at + 1) & 0x1fff, descriptors })
    at = next
  }
  return found
}

const carriesKlv = ({ descriptors, type }: Elementary): boolean =>
  type === metadata || (type === privateData && descriptors.includes(registration))

/** What a picture is by its first slice: a key only where the parameter sets stand before it. */
const kindOf = (picture: Buffer, codec: Keyframe["codec"]): "key" | "b" | undefined => {
  let hasSps = false
  for (const [first = 0, second = 0] of nalsIn(picture)) {
    const type = codec === "h264" ? first & 0x1f : (first >> 1) & 0x3f
    hasSps ||= type === (codec === "h264" ? 7 : 33)
    const isSlice = codec === "h264" ? type >= 1 && type <= 5 : type <= 31
    if (!isSlice) continue
    if (codec === "h264" && isBSlice(first, second)) return "b"
    const isKey = codec === "h264" ? type === 5 : type >= 16 && type <= 21
    return isKey && hasSps ? "key" : undefined
  }
  return undefined
}

/** Where the bytes of a packetized elementary stream begin (2.4.3.6). */
const bodyOf = (pes: Buffer): Buffer => pes.subarray(9 + (pes[8] ?? 0))

/** `hearKlv`: hears its first metadata; who hands the packets on hands on what MediaMTX takes (`numberAnew`) */
export const readTransport = (hearKlv?: HearKlv): TransportReader => {
  let mapPid: number | undefined
  let streams: ReadonlyArray<Elementary> = []
  let video: { readonly pid: number; readonly codec: Keyframe["codec"] } | undefined
  let klv: { readonly pid: number; readonly type: number; readonly packets: PesKlv } | undefined
  const picture = new PictureBytes()
  let pictures = 0
  let hasBFrames = false

  const finish = (codec: Keyframe["codec"]): Keyframe | undefined => {
    const whole = picture.take()
    if (whole === undefined || whole.length < 9 || !whole.subarray(0, 3).equals(startCode)) return undefined
    pictures++
    const bytes = bodyOf(whole)
    const kind = kindOf(bytes, codec)
    hasBFrames ||= kind === "b"
    return kind === "key" ? { codec, bytes: Buffer.from(bytes) } : undefined
  }

  const learn = (payload: Buffer): void => {
    const section = sectionIn(payload, 2)
    if (section === undefined) return
    // a copy: it came with up to 64 kB of others
    streams = streamsIn(Buffer.from(section))
    const found = streams.find(({ type }) => videos.has(type))
    const codec = videos.get(found?.type ?? 0)
    if (found?.pid !== video?.pid) picture.take()
    video = found === undefined || codec === undefined ? undefined : { pid: found.pid, codec }
    const { pid = -1, type = -1 } = streams.find(carriesKlv) ?? {}
    if (hearKlv === undefined || (klv?.pid === pid && klv.type === type)) return
    klv = pid < 0 ? undefined : { pid, type, packets: takePesKlv(type === metadata, hearKlv) }
  }

  /** One packet (2.4.3.2). */
  const packet = (bytes: Buffer): Keyframe | undefined => {
    const flags = bytes[1] ?? 0
    const control = bytes[3] ?? 0
    if ((flags & 0x80) !== 0 || (control & 0x10) === 0) return undefined
    const isStart = (flags & 0x40) !== 0
    const pid = bytes.readUInt16BE(1) & 0x1fff
    const payload = bytes.subarray((control & 0x20) === 0 ? 4 : 5 + (bytes[4] ?? 0))
    if (pid === 0 && isStart) {
      const section = sectionIn(payload, 0)
      if (section !== undefined) mapPid = mapIn(section)
    } else if (pid === mapPid && isStart) learn(payload)
    if (pid === klv?.pid) {
      if (isStart && klv.type === metadata) numberAnew(payload)
      klv.packets.add(payload, isStart)
    }
    if (video === undefined || pid !== video.pid) return undefined
    const keyframe = isStart ? finish(video.codec) : undefined
    // what is in the middle when we come is nobody's
    if (!isStart && picture.isEmpty) return undefined
    picture.add(payload)
    return keyframe
  }

  return {
    take: (bytes, start, end) => {
      const payload = payloadOf(bytes, start, end)
      if (payload === undefined) return undefined
      const [from, to] = payload
      let keyframe: Keyframe | undefined
      for (let at = from; at + packetLength <= to && bytes[at] === sync; at += packetLength) {
        keyframe = packet(bytes.subarray(at, at + packetLength)) ?? keyframe
      }
      return keyframe
    },
    pictures: () => pictures,
    hasBFrames: () => hasBFrames,
    hasKlv: () => (streams.length === 0 ? undefined : streams.some(carriesKlv)),
    audioCodec: () => audios.get(streams.find(({ type }) => audios.has(type))?.type ?? 0)
  }
}
