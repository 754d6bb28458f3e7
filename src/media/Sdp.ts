import { maxSetBytes, maxSets } from "./Keyframes.ts"
import { isSps } from "./Sps.ts"

/** One stream of those that a session description (RFC 8866) offers, by the first of its formats. */
export interface SdpMedia {
  /** `video`, `audio`, `application` */
  readonly kind: string
  /** of its RTP packets, 0 to 127 */
  readonly payloadType: number
  /** as RTP names it, in lower case: `h264`, `mp2t`, `smpte336m`; empty: it does not say */
  readonly encoding: string
  /** of its RTP clock, in Hz; 0: it does not say */
  readonly clockRate: number
  /** the format's parameters as they stand, without the payload type (`a=fmtp`) */
  readonly fmtp: string | undefined
  /** where it is controlled (RFC 2326, C.1.1): absolute, relative, or `*` */
  readonly control: string | undefined
  /** frames a second */
  readonly frameRate: number | undefined
  /** it wants to be sent something, and sends nothing */
  readonly isForUs: boolean
  /** the rest of `a=rtpmap`, as it stands */
  readonly rtpmap: string | undefined
}

export interface SessionDescription {
  /** of the session as a whole */
  readonly control: string | undefined
  readonly media: ReadonlyArray<SdpMedia>
}

/** Those that have no `a=rtpmap` (RFC 3551, section 6). */
const wellKnown: ReadonlyMap<number, string> = new Map([
  [0, "PCMU/8000"],
  [3, "GSM/8000"],
  [4, "G723/8000"],
  [8, "PCMA/8000"],
  [9, "G722/8000"],
  [14, "MPA/90000"],
  [26, "JPEG/90000"],
  [32, "MPV/90000"],
  [33, "MP2T/90000"]
])

/** More streams than a camera has. */
const maxMedia = 32

const attributes = (lines: ReadonlyArray<string>, name: string): ReadonlyArray<string> =>
  lines.filter((line) => line.startsWith(`a=${name}:`)).map((line) => line.slice(name.length + 3).trim())

const attribute = (lines: ReadonlyArray<string>, name: string): string | undefined => attributes(lines, name)[0]

/** The value of an attribute whose first word is the payload type; some cameras give one with another number in it. */
const ofFormat = (lines: ReadonlyArray<string>, name: string, payloadType: number): string | undefined => {
  const mine = attributes(lines, name).find((value) => value.split(/\s/, 1)[0] === String(payloadType))
  return mine?.slice(String(payloadType).length).trim()
}

const mediaOf = (lines: ReadonlyArray<string>): SdpMedia | undefined => {
  const [, kind = "", type = ""] =
    /^m=(\S+)\s+\S+\s+RTP\/S?AVPF?(?:\/TCP)?\s+(\d{1,3})(?:\s|$)/.exec(lines[0] ?? "") ?? []
  const payloadType = Number(type)
  if (kind === "" || payloadType > 127) return undefined
  const rtpmap = ofFormat(lines, "rtpmap", payloadType) ?? wellKnown.get(payloadType)
  const [, encoding = "", rate = "0"] = /^([^/\s]+)(?:\/(\d{1,9}))?/.exec(rtpmap ?? "") ?? []
  // some cameras give two, the first of which is none
  const frameRate = attributes(lines, "framerate")
    .map(Number)
    .find((rate) => rate > 0 && rate <= 1000)
  return {
    kind,
    payloadType,
    encoding: encoding.toLowerCase(),
    clockRate: Number(rate),
    fmtp: ofFormat(lines, "fmtp", payloadType),
    control: attribute(lines, "control"),
    frameRate,
    // from the client's side, as ONVIF has it for its back channel (ONVIF Streaming Specification, 5.3)
    isForUs: lines.includes("a=sendonly"),
    rtpmap
  }
}

/** Of any text: what is not understood is passed over. */
export const parseSdp = (sdp: string): SessionDescription => {
  const sections: Array<Array<string>> = [[]]
  for (const line of sdp.split(/\r\n|\r|\n/)) {
    if (line.startsWith("m=")) sections.push([])
    if (sections.length > maxMedia) break
    sections.at(-1)?.push(line.trimEnd())
  }
  const [session = [], ...media] = sections
  return {
    control: attribute(session, "control"),
    media: media.flatMap((lines) => mediaOf(lines) ?? [])
  }
}

/** Those that carry parameter sets. */
const parameters: ReadonlyMap<string, ReadonlyArray<string>> = new Map([
  ["h264", ["sprop-parameter-sets"]],
  ["h265", ["sprop-vps", "sprop-sps", "sprop-pps"]]
])

const setsIn = (text: string, name: string): ReadonlyArray<Uint8Array> => {
  const sets = new RegExp(`${name}=([^;\\s]+)`, "i").exec(text)?.[1]?.split(",", maxSets) ?? []
  return sets.map((set) => Buffer.from(set, "base64")).filter(({ length }) => length > 0)
}

/** The parameter sets that a stream's description gives (RFC 6184, 8.1; RFC 7798, 7.1), as NAL units; the first ones of too many. */
export const parameterSetsOf = ({ encoding, fmtp = "" }: SdpMedia): ReadonlyArray<Uint8Array> => {
  const sets = (parameters.get(encoding) ?? []).flatMap((name) => setsIn(fmtp, name)).slice(0, maxSets)
  let bytes = 0
  return sets.filter(({ length }) => (bytes += length) <= maxSetBytes)
}

/** The first H.264 sequence parameter set of an SDP. */
export const spsOf = (sdp: string): Uint8Array | undefined =>
  parseSdp(sdp)
    .media.flatMap(({ fmtp = "" }) => setsIn(fmtp, "sprop-parameter-sets"))
    .find(isSps)
