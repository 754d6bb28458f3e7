import type { RtspFaults } from "./RtspFaults.ts"

/** What a camera in the network sends (RFC 2326, 10.12). */

const sps = "Z0LAHtoCgPbARAAAAwAEAAADAPI8WLqA"
const pps = "aM48gA=="

const bytesOf = (base64: string): Uint8Array => Uint8Array.from(atob(base64), (character) => character.charCodeAt(0))

export const cameraSdp = [
  ...["v=0", "o=- 1 1 IN IP4 0.0.0.0", "s=Camera", "t=0 0", "a=control:*"],
  ...["m=video 0 RTP/AVP 96", "a=rtpmap:96 H264/90000"],
  ...[
    `a=fmtp:96 packetization-mode=1;profile-level-id=42C01E;sprop-parameter-sets=${sps},${pps}`,
    "a=control:trackID=0"
  ],
  ...["m=application 0 RTP/AVP 98", "a=rtpmap:98 smpte336m/90000", "a=control:trackID=1", ""]
].join("\r\n")

/** One RTP packet with its marker, of the video, or of the metadata. */
export const packet = (sequence: number, payload: Uint8Array, [channel, type] = [0, 96]): Uint8Array => {
  const bytes = new Uint8Array(16 + payload.length)
  const view = new DataView(bytes.buffer)
  bytes.set([0x24, channel])
  view.setUint16(2, 12 + payload.length)
  bytes.set([0x80, 0x80 | type], 4)
  view.setUint16(6, sequence % 65_536)
  view.setUint32(8, sequence * 9000)
  view.setUint32(12, 0x1234)
  bytes.set(payload, 16)
  return bytes
}

/** A sender report of this time (RFC 3550, 6.4.1), on channel 1. */
export const senderReport = (millis: number): Uint8Array => {
  const bytes = Buffer.alloc(4 + 28)
  bytes.set([0x24, 1, 0, 28, 0x80, 200, 0, 6])
  bytes.writeUInt32BE(0x1234, 8)
  bytes.writeUInt32BE(Math.floor(millis / 1000), 12)
  bytes.writeUInt32BE(Math.floor(((millis % 1000) / 1000) * 2 ** 32), 16)
  return bytes
}

/** On channel 1: nothing, too little, a type of none, a length beyond its end, a source description cut off; and on one of nobody's. */
export const wrongRtcp = Buffer.concat(
  [
    [1],
    [1, 0x80, 200],
    [1, ...Array<number>(28).fill(0xff)],
    [1, 0x9f, 200, 0xff, 0xff, ...Array<number>(24).fill(1)],
    [1, 0x81, 202, 0, 2, 0, 0, 0x12, 0x34, 1, 255, 65],
    [77, 0x80, 200, 0, 0]
  ].map(([channel = 0, ...bytes]) => Buffer.from([0x24, channel, 0, bytes.length, ...bytes]))
)

/** A keyframe with its parameter sets in one packet (STAP-A), or a picture that is none. */
export const picture = (
  number: number,
  { bFrames, keyframeEvery }: Pick<RtspFaults, "bFrames" | "keyframeEvery">
): Uint8Array => {
  if (number % keyframeEvery !== 0) {
    const slice = bFrames && number % 3 !== 0 ? [0x01, 0xa8] : [0x41, 1]
    return packet(number, Uint8Array.from([...slice, 2, 3, number % 256]))
  }
  const units = [bytesOf(sps), bytesOf(pps), Uint8Array.from([0x65, 1, 2, 3, number % 256])]
  const sized = units.flatMap((unit) => [Uint8Array.from([0, unit.length]), unit])
  return packet(number, Buffer.concat([Uint8Array.from([0x18]), ...sized]))
}

export const filler = packet(0, new Uint8Array(65_000))
/** No marker, and always of the same time. */
const klv = Uint8Array.from(filler)
klv[1] = 2
klv[5] = 98
export const klvs = Buffer.concat(Array.from({ length: 32 }, () => klv))

const question = (number: string) => `OPTIONS * RTSP/1.0\r\nCSeq: ${number}\r\n\r\n`
export const questions = Buffer.from(question("1").repeat(1000))
export const longQuestions = Buffer.from(question("1".repeat(15_000)).repeat(5))
