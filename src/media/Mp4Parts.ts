import { type Box, boxAt, boxesIn, boxHead, viewOf } from "./Mp4Boxes.ts"
import type { FileRange } from "./Mp4Header.ts"
import { mp4Track, type Mp4Track } from "./Mp4Track.ts"

/** A piece of a fragmented MP4 that a player can begin with: its bytes, and its times in seconds from the file's beginning. */
export interface Mp4Part {
  readonly offset: number
  readonly length: number
  readonly start: number
  readonly duration: number
  /** of its first keyframe: what comes before it needs the piece before */
  readonly keyframe: number
}

/** Where everything is in a fragmented MP4. */
export interface Mp4Parts {
  /** as `MediaSource.addSourceBuffer` wants it (RFC 6381) */
  readonly codec: string
  /** the file begins with so many bytes that every player needs first */
  readonly initBytes: number
  readonly parts: ReadonlyArray<Mp4Part>
}

const maxMoov = 4 << 20
const maxMoof = 1 << 20
/** What a fragment's header has, as a recorder writes it, and the head of what follows it. */
const usual = 4096
/** Before the first fragment: ftyp, free, moov, sidx, …, and what they have together. */
const maxLeading = 16
const maxInit = maxMoov + (64 << 10)
/** A fragment has a keyframe interval at most: some hundred. */
const maxSamples = 10_000
/** A day in parts of 50 ms has 1.7 million, with as many headers. */
const maxBoxes = 4_000_000
const maxParts = 500_000

/**
 * Reads where a fragmented MP4's fragments and keyframes are, for as much of it as is there; undefined when it is no such
 * file. It asks for the headers alone: one read of 4 kB a fragment. `before`: what was known of it when it was shorter.
 */
export function* mp4Parts(before?: Mp4Parts): Generator<FileRange, Mp4Parts | undefined, Uint8Array> {
  let at = 0
  let track: Mp4Track | undefined
  for (let i = 0; i < maxLeading && track === undefined; i++) {
    const found = boxHead(viewOf(yield { position: at, length: 16 }), 0)
    if (found === undefined || (i === 0 && found.type !== "ftyp")) return undefined
    if (found.type === "mdat" || found.type === "moof") return undefined
    if (found.type === "moov") {
      if (found.size > maxMoov) return undefined
      const moov = viewOf(yield { position: at + found.head, length: found.size - found.head })
      track = moov.byteLength < found.size - found.head ? undefined : mp4Track(moov)
      if (track === undefined) return undefined
    }
    at += found.size
    if (at > maxInit) return undefined
  }
  if (track === undefined) return undefined
  const initBytes = at
  const parts: Array<Mp4Part> = [...(before?.parts ?? [])]
  const known = parts.at(-1)
  if (known !== undefined) at = known.offset + known.length
  /** a fragment whose header was read, and where it ends if its media was passed: not yet known to be there */
  let fragment:
    | { readonly of: Fragment | undefined; readonly from: number; readonly end: number | undefined }
    | undefined
  for (let i = 0; i < maxBoxes && parts.length < maxParts; i++) {
    let bytes = viewOf(yield { position: at, length: usual })
    if (fragment?.end !== undefined) {
      // what is being written may end anywhere
      const isWhole = bytes.byteLength > 0 || (yield { position: at - 1, length: 1 }).length === 1
      if (!isWhole) break
      put(parts, fragment.of, track.timescale, fragment.from, fragment.end)
      fragment = undefined
    }
    let found = boxHead(bytes, 0)
    if (found === undefined) break
    if (found.type === "moof") {
      if (found.size > maxMoof) break
      if (found.size > bytes.byteLength) bytes = viewOf(yield { position: at, length: found.size })
      if (found.size > bytes.byteLength) break
      fragment = { of: fragmentOf(bytes, { start: found.head, end: found.size }, track), from: at, end: undefined }
      at += found.size
      // its media follows at once, mostly
      const media = boxHead(bytes, found.size)
      if (media?.type !== "mdat") continue
      found = media
    }
    at += found.size
    if (found.type === "mdat" && fragment !== undefined) fragment = { ...fragment, end: at }
  }
  return parts.length === 0 ? undefined : { codec: track.codec, initBytes, parts }
}

/** In the track's units. */
interface Fragment {
  readonly start: number
  readonly duration: number
  readonly keyframe: number | undefined
}

/** A fragment with a keyframe begins a piece; others, of sound too, go with the one before. */
const put = (
  parts: Array<Mp4Part>,
  fragment: Fragment | undefined,
  timescale: number,
  from: number,
  end: number
): void => {
  const last = parts.at(-1)
  const { duration = 0, keyframe, start = 0 } = fragment ?? {}
  if (keyframe !== undefined) {
    parts.push({
      offset: from,
      length: end - from,
      start: start / timescale,
      duration: duration / timescale,
      keyframe: keyframe / timescale
    })
  } else if (last !== undefined) {
    parts[parts.length - 1] = {
      ...last,
      length: end - last.offset,
      duration: Math.max(last.duration, (start + duration) / timescale - last.start)
    }
  }
}

/** What a movie fragment says of the video (ISO 14496-12, 8.8). */
const fragmentOf = (view: DataView, moof: Pick<Box, "start" | "end">, track: Mp4Track): Fragment | undefined => {
  for (const traf of boxesIn(view, moof.start, moof.end)) {
    if (traf.type !== "traf") continue
    const tfhd = boxAt(view, traf, "tfhd")
    const tfdt = boxAt(view, traf, "tfdt")
    if (tfhd === undefined || tfdt === undefined || tfhd.end - tfhd.start < 8 || tfdt.end - tfdt.start < 8) continue
    if (view.getUint32(tfhd.start + 4) !== track.id) continue
    const flags = view.getUint32(tfhd.start) & 0xffffff
    let at = tfhd.start + 8 + (flags & 0x1 ? 8 : 0) + (flags & 0x2 ? 4 : 0)
    const optional = (bit: number, other: number): number => {
      if ((flags & bit) === 0 || at + 4 > tfhd.end) return other
      at += 4
      return view.getUint32(at - 4)
    }
    const duration = optional(0x8, track.sampleDuration)
    optional(0x10, 0)
    const sampleFlags = optional(0x20, track.sampleFlags)
    const isLong = view.getUint8(tfdt.start) === 1 && tfdt.end - tfdt.start >= 12
    const start = isLong ? Number(view.getBigUint64(tfdt.start + 4)) : view.getUint32(tfdt.start + 4)
    let units = 0
    let keyframe: number | undefined
    let samples = 0
    for (const trun of boxesIn(view, traf.start, traf.end)) {
      if (trun.type !== "trun") continue
      for (const sample of samplesOf(view, trun, { duration, flags: sampleFlags })) {
        // sample_is_non_sync_sample (8.8.3.1)
        if (keyframe === undefined && (sample.flags & 0x10000) === 0) keyframe = start + units
        units += sample.duration
        if (++samples >= maxSamples) return { start, duration: units, keyframe }
      }
    }
    return { start, duration: units, keyframe }
  }
  return undefined
}

interface Sample {
  readonly duration: number
  readonly flags: number
}

/** The samples of a run (8.8.8), as many as it has bytes for. */
function* samplesOf(view: DataView, { end, start }: Box, usual: Sample): Generator<Sample, void> {
  if (end - start < 8) return
  const flags = view.getUint32(start) & 0xffffff
  const count = view.getUint32(start + 4)
  let at = start + 8 + (flags & 0x1 ? 4 : 0)
  let first: number | undefined
  if (flags & 0x4) {
    if (at + 4 > end) return
    first = view.getUint32(at)
    at += 4
  }
  const fields = [0x100, 0x200, 0x400, 0x800].filter((bit) => flags & bit)
  // samples without a word each take no bytes
  const most = fields.length === 0 ? maxSamples : Math.floor((end - at) / (4 * fields.length))
  for (let i = 0; i < Math.min(count, most); i++) {
    let { duration, flags: own } = usual
    for (const bit of fields) {
      if (bit === 0x100) duration = view.getUint32(at)
      if (bit === 0x400) own = view.getUint32(at)
      at += 4
    }
    yield { duration, flags: i === 0 && first !== undefined ? first : own }
  }
}
