import { PictureBytes } from "./PictureBytes.ts"
import { payloadOf } from "./Rtp.ts"
import { nalsIn } from "./Sps.ts"

/** Takes keyframes out of RTP packets (RFC 3550) of H.264 (RFC 6184) and H.265 (RFC 7798). */

interface Packing {
  readonly codec: Keyframe["codec"]
  /** bytes of a NAL unit's header */
  readonly header: number
  readonly typeOf: (first: number) => number
  readonly isSps: (type: number) => boolean
  readonly isParameterSet: (type: number) => boolean
  /** a picture that needs no other */
  readonly isKey: (type: number) => boolean
  readonly aggregate: number
  readonly fragment: number
  /** the header of the NAL unit that a packet has a fragment of, whose own header is `at` */
  readonly fragmentHeader: (bytes: Buffer, at: number) => ReadonlyArray<number>
}

const h264: Packing = {
  codec: "h264",
  header: 1,
  typeOf: (first) => first & 0x1f,
  isSps: (type) => type === 7,
  isParameterSet: (type) => type === 7 || type === 8,
  isKey: (type) => type === 5,
  aggregate: 24,
  fragment: 28,
  fragmentHeader: (bytes, at) => [((bytes[at] ?? 0) & 0xe0) | ((bytes[at + 1] ?? 0) & 0x1f)]
}

const h265: Packing = {
  codec: "h265",
  header: 2,
  typeOf: (first) => (first >> 1) & 0x3f,
  isSps: (type) => type === 33,
  isParameterSet: (type) => type >= 32 && type <= 34,
  // broken links, IDR and CRA
  isKey: (type) => type >= 16 && type <= 21,
  aggregate: 48,
  fragment: 49,
  fragmentHeader: (bytes, at) => [((bytes[at] ?? 0) & 0x81) | (((bytes[at + 2] ?? 0) & 0x3f) << 1), bytes[at + 1] ?? 0]
}

const packings: ReadonlyMap<string, Packing> = new Map([
  ["h264", h264],
  ["h265", h265]
])

/** Whether the payload that stands there is a fragment of a NAL unit that has nothing of it. */
export const isEmptyFragment = (encoding: string, bytes: Buffer, from: number, to: number): boolean => {
  const packing = packings.get(encoding)
  if (packing === undefined || to - from > packing.header + 1) return false
  return packing.typeOf(bytes[from] ?? 0) === packing.fragment
}

const startCode = Buffer.from([0, 0, 0, 1])
const none = Buffer.alloc(0)

/** More parameter sets than a camera has: of those that it gives ahead of its pictures. */
export const maxSets = 16
export const maxSetBytes = 64 << 10

/** A picture that needs no other, with its parameter sets, as a byte stream (Annex B). */
export interface Keyframe {
  readonly codec: "h264" | "h265"
  readonly bytes: Buffer
}

/** The parameter sets, as text: a decoder goes on from one keyframe to another that has the same. */
export const parameterSetsIn = (codec: Keyframe["codec"], bytes: Buffer): string => {
  const { isParameterSet, typeOf } = codec === "h264" ? h264 : h265
  const sets = nalsIn(bytes).filter((nal) => isParameterSet(typeOf(nal[0] ?? 0)))
  return sets.map((nal) => nal.toString("base64")).join(" ")
}

/**
 * What stands between two keyframes of one byte stream: the end of a sequence (H.264, 7.4.1.2.3; H.265, 7.4.2.4.4), so that
 * the second owes nothing to the first, and a delimiter, which shows a decoder that the first is whole.
 */
export const betweenKeyframes: Readonly<Record<Keyframe["codec"], Uint8Array>> = {
  h264: Uint8Array.of(0, 0, 0, 1, 0x0a, 0, 0, 0, 1, 0x09, 0xf0),
  h265: Uint8Array.of(0, 0, 0, 1, 0x48, 0x01, 0, 0, 0, 1, 0x46, 0x01, 0x50)
}

/** Gives the whole keyframe that an RTP packet is the last of, which stands in `bytes` from `start` to `end`. */
export type TakeKeyframe = (bytes: Buffer, start: number, end: number) => Keyframe | undefined

/** `sets`: the parameter sets that the stream's description gives. Undefined: of this codec nothing can be taken. */
export const keyframesOf = (encoding: string, sets: ReadonlyArray<Uint8Array>): TakeKeyframe | undefined => {
  const packing = packings.get(encoding)
  return packing === undefined ? undefined : takeKeyframes(packing, sets)
}

/** Put together when it is looked at: a keyframe that nobody wants costs no more than its own bytes. */
const keyframeOf = (codec: Keyframe["codec"], sets: Buffer, picture: Buffer): Keyframe => ({
  codec,
  get bytes() {
    return Buffer.concat([sets, picture])
  }
})

const takeKeyframes = (packing: Packing, given: ReadonlyArray<Uint8Array>): TakeKeyframe => {
  const { codec, header, isKey, isParameterSet, isSps, typeOf } = packing
  /** those that pictures need which come without any */
  let sets = Buffer.concat(given.flatMap((set) => [startCode, set]))
  const picture = new PictureBytes()
  let timestamp = -1
  let hasKey = false
  let hasSps = false
  /** NAL units of the picture */
  let units = 0
  /** a fragmented NAL unit is being put together */
  let isOpen = false

  const begin = (first: number): boolean => {
    const type = typeOf(first)
    if (!isKey(type) && !isParameterSet(type)) return false
    hasKey ||= isKey(type)
    hasSps ||= isSps(type)
    units++
    picture.add(startCode)
    return true
  }

  const finish = (): Keyframe | undefined => {
    if (picture.isEmpty) return undefined
    const whole = picture.take()
    const isWhole = whole !== undefined && hasKey && !isOpen && (hasSps || sets.length > 0)
    const keyframe = isWhole ? keyframeOf(codec, hasSps ? none : sets, Buffer.from(whole)) : undefined
    // sent ahead of the picture, at another time
    if (!hasKey && hasSps) {
      const isTooMuch = whole === undefined || whole.length > maxSetBytes || units > maxSets
      sets = isTooMuch ? none : Buffer.from(whole)
    }
    hasKey = hasSps = isOpen = false
    units = 0
    return keyframe
  }

  const addAggregate = (bytes: Buffer, from: number, to: number): void => {
    let at = from + header
    while (at + 2 < to) {
      const next = at + 2 + bytes.readUInt16BE(at)
      if (next > to) return
      if (next > at + 2 && begin(bytes[at + 2] ?? 0)) picture.add(bytes.subarray(at + 2, next))
      at = next
    }
  }

  const addFragment = (bytes: Buffer, from: number, to: number): void => {
    const place = bytes[from + header] ?? 0
    const payload = from + header + 1
    if (payload > to) return
    if ((place & 0x80) !== 0) {
      const whole = packing.fragmentHeader(bytes, from)
      isOpen = begin(whole[0] ?? 0)
      if (isOpen) picture.add(Uint8Array.from(whole))
    }
    if (!isOpen) return
    picture.add(bytes.subarray(payload, to))
    if ((place & 0x40) !== 0) isOpen = false
  }

  return (bytes, start, end) => {
    const payload = payloadOf(bytes, start, end)
    if (payload === undefined) return undefined
    const [from, to] = payload
    const at = bytes.readUInt32BE(start + 4)
    const isLast = ((bytes[start + 1] ?? 0) & 0x80) !== 0
    // the marker of the packet before was missing
    const earlier = at === timestamp ? undefined : finish()
    timestamp = at
    const type = typeOf(bytes[from] ?? 0)
    if (type === packing.fragment) addFragment(bytes, from, to)
    else if (type === packing.aggregate) addAggregate(bytes, from, to)
    else if (begin(bytes[from] ?? 0)) picture.add(bytes.subarray(from, to))
    return isLast ? (finish() ?? earlier) : earlier
  }
}
