/** A media playlist of a live stream (RFC 8216) as a player has it. */
export interface Playlist {
  readonly text: string
  /** the number of the segment after its last */
  readonly end: number
  /** what MediaMTX's segments of this run of the stream are called by; it begins at 0 with each run */
  readonly run: string
  /** by so much the player's numbers are higher than MediaMTX's */
  readonly offset: number
  /** how many runs there were before, and the first segment of this one; undefined: none */
  readonly after: { readonly runs: number; readonly first: number } | undefined
}

/** What MediaMTX has a low-latency playlist begin with: segments that never were, in the place of those before the stream. */
const gap = /^#EXT-X-GAP\n#EXTINF:.*\ngap\.mp4.*\n/gm

/**
 * The next of one playlist. Where the stream has begun anew meanwhile its numbers go on, and its segments follow a
 * discontinuity (4.3.2.3, 4.3.3.3): their times and their encoding are others. What was before them is no gap then.
 */
export const nextPlaylist = (before: Playlist | undefined, text: string): Playlist => {
  const whole = Number(/^#EXT-X-MEDIA-SEQUENCE:(\d+)$/m.exec(text)?.[1] ?? 0)
  const first = whole + (text.match(gap)?.length ?? 0)
  const count = text.match(/^#EXTINF:/gm)?.length ?? 0
  const [, run = ""] = /(?:^|URI=")(?!#|gap\.)([^_\s]+)_/m.exec(text) ?? []
  const { after, offset } = positionOf(before, run, first)
  const end = whole + offset + count
  if (after === undefined) return { text, end, run, offset, after }
  const isFirst = first + offset === after.first
  const lines = [
    `#EXT-X-MEDIA-SEQUENCE:${first + offset}`,
    `#EXT-X-DISCONTINUITY-SEQUENCE:${isFirst ? after.runs - 1 : after.runs}`,
    ...(isFirst ? ["#EXT-X-DISCONTINUITY"] : [])
  ]
  const numbered = text.replace(gap, "").replace(/^#EXT-X-MEDIA-SEQUENCE:.*$/m, lines.join("\n"))
  return { text: numbered, end, run, offset, after }
}

/** What a player waits for (RFC 8216bis, 6.2.5.2), in MediaMTX's numbers. */
export const awaited = ({ offset }: Playlist, asked: URLSearchParams): string => {
  const segment = Number(asked.get("_HLS_msn") ?? Number.NaN) - offset
  if (!(segment >= 0)) return ""
  const part = asked.get("_HLS_part")
  return `&_HLS_msn=${segment}${part === null ? "" : `&_HLS_part=${part}`}`
}

const positionOf = (before: Playlist | undefined, run: string, first: number): Pick<Playlist, "offset" | "after"> => {
  if (before === undefined) return { offset: 0, after: undefined }
  if (before.run === run) return before
  return { offset: before.end - first, after: { runs: (before.after?.runs ?? 0) + 1, first: before.end } }
}
