/** The one walk over a JPEG's segments (ITU-T T.81, B.1.1). */

/** The codes of table B.1 that are asked for here: what follows the FF of a marker. */
export const markers = {
  dht: 0xc4,
  rst0: 0xd0,
  rst7: 0xd7,
  soi: 0xd8,
  eoi: 0xd9,
  sos: 0xda,
  dqt: 0xdb,
  dri: 0xdd,
  app0: 0xe0,
  com: 0xfe
}

/** A marker and what belongs to it, by offsets into the picture. */
export interface Segment {
  readonly marker: number
  /** of the marker's own FF: fill bytes stand before it */
  readonly start: number
  /** of what is behind the length; from there to `end` is nothing when the marker stands alone */
  readonly content: number
  readonly end: number
}

const temporary = 0x01
const standsAlone = (marker: number): boolean =>
  marker === temporary || (marker >= markers.rst0 && marker <= markers.eoi)

/** Two bytes, most significant first; what is not there is 0. */
export const word = (bytes: Uint8Array, at: number): number => ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0)

export const isJpeg = (bytes: Uint8Array): boolean => word(bytes, 0) === 0xffd8

/**
 * What follows the start of a JPEG, one by one: up to the first scan's header, which is the last one given, or to the
 * picture's end. Only whole segments are given; none any more where the bytes end, or are no JPEG.
 */
export function* segments(jpeg: Uint8Array): Generator<Segment, void, void> {
  if (!isJpeg(jpeg)) return
  for (let start = 2; jpeg[start] === 0xff;) {
    while (jpeg[start + 1] === 0xff) start++
    const marker = jpeg[start + 1] ?? 0
    if (marker === 0) return
    const isAlone = standsAlone(marker)
    // the length counts itself
    const length = isAlone ? 0 : word(jpeg, start + 2)
    const end = start + 2 + length
    if ((!isAlone && length < 2) || end > jpeg.length) return
    yield { marker, start, content: isAlone ? end : start + 4, end }
    if (marker === markers.sos || marker === markers.eoi) return
    start = end
  }
}

/** Pixels. */
export interface PictureSize {
  readonly width: number
  readonly height: number
}

/** SOF0 to SOF15; three codes between them mean something else (table B.1: DHT, JPG, DAC). */
const isFrame = (marker: number): boolean => marker >= 0xc0 && marker <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(marker)

/** What a frame header (B.2.2) says; undefined when the segment is none. */
export const frameSize = (jpeg: Uint8Array, { content, end, marker }: Segment): PictureSize | undefined =>
  isFrame(marker) && end - content >= 5
    ? { width: word(jpeg, content + 3), height: word(jpeg, content + 1) }
    : undefined
