import type { Picture } from "./Picture.ts"

/**
 * A picture as baseline JPEG (ITU-T T.81), 4:2:0: a cell is a minimum coded unit, and of its six blocks only the DC
 * coefficients are not 0. So it is small, made at once and without a library, and as good as any to a decoder.
 */

/** How many codes there are of 1, 2, … bits, and their values. */
interface HuffmanTable {
  readonly id: number
  readonly counts: ReadonlyArray<number>
  readonly values: ReadonlyArray<number>
}

const categories = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]

/** The beginnings of K.3.3's tables: what is used of them, with the same codes. So a camera may leave them out, as many do. */
const dcLuminance: HuffmanTable = { id: 0x00, counts: [0, 1, 5, 1, 1, 1, 1, 1, 1], values: categories }
const dcChrominance: HuffmanTable = { id: 0x01, counts: [0, 3, 1, 1, 1, 1, 1, 1, 1, 1, 1], values: categories }
const acLuminance: HuffmanTable = { id: 0x10, counts: [0, 2, 1, 1], values: [0x01, 0x02, 0x03, 0x00] }
const acChrominance: HuffmanTable = { id: 0x11, counts: [0, 2], values: [0x00, 0x01] }

/** C.2: code and length of each value. */
const codesOf = ({ counts, values }: HuffmanTable): ReadonlyMap<number, readonly [code: number, bits: number]> => {
  const codes = new Map<number, readonly [number, number]>()
  let code = 0
  let next = 0
  counts.forEach((count, i) => {
    for (let n = 0; n < count; n++) codes.set(values[next++] ?? 0, [code++, i + 1])
    code <<= 1
  })
  return codes
}

const segment = (marker: number, bytes: ReadonlyArray<number>): ReadonlyArray<number> => [
  ...[0xff, marker, (bytes.length + 2) >> 8, (bytes.length + 2) & 0xff],
  ...bytes
]

const huffmanSegment = [dcLuminance, acLuminance, dcChrominance, acChrominance].flatMap(({ counts, id, values }) =>
  segment(0xc4, [id, ...counts, ...Array.from({ length: 16 - counts.length }, () => 0), ...values])
)

/** An even block's DC coefficient is 8 times its value (A.3.3), so this makes it the value. */
const quantization = segment(0xdb, [0, ...Array.from({ length: 64 }, () => 8)])

const frameHeader = (width: number, height: number) =>
  segment(0xc0, [8, height >> 8, height & 0xff, width >> 8, width & 0xff, 3, ...[1, 0x22, 0, 2, 0x11, 0, 3, 0x11, 0]])

const scanHeader = segment(0xda, [3, 1, 0x00, 2, 0x11, 3, 0x11, 0, 63, 0])

const codes = {
  luminance: { dc: codesOf(dcLuminance), ac: codesOf(acLuminance) },
  chrominance: { dc: codesOf(dcChrominance), ac: codesOf(acChrominance) }
}

const bitWriter = () => {
  const bytes: Array<number> = []
  let current = 0
  let free = 8
  const put = (value: number, bits: number): void => {
    for (let bit = bits - 1; bit >= 0; bit--) {
      current = (current << 1) | ((value >> bit) & 1)
      if (--free > 0) continue
      bytes.push(current)
      // B.1.1.5: no marker may appear in the data
      if (current === 0xff) bytes.push(0)
      current = 0
      free = 8
    }
  }
  // F.1.2.3: the rest of the last byte is ones
  const finish = (): ReadonlyArray<number> => {
    put(0xff, free % 8)
    return bytes
  }
  return { put, finish }
}

const scan = ({ cells }: Picture): ReadonlyArray<number> => {
  const writer = bitWriter()
  const code = (table: ReadonlyMap<number, readonly [number, number]>, value: number) =>
    writer.put(...(table.get(value) ?? [0, 0]))
  /** F.1.2.1: how far the coefficient is from the last one; then that all others are 0 */
  const block = ({ ac, dc }: typeof codes.luminance, difference: number): void => {
    const bits = difference === 0 ? 0 : Math.floor(Math.log2(Math.abs(difference))) + 1
    code(dc, bits)
    writer.put(difference < 0 ? difference + 2 ** bits - 1 : difference, bits)
    code(ac, 0)
  }
  let [lastY, lastCb, lastCr] = [128, 128, 128]
  for (const row of cells) {
    for (const [y, cb, cr] of row) {
      block(codes.luminance, y - lastY)
      for (let i = 1; i < 4; i++) block(codes.luminance, 0)
      block(codes.chrominance, cb - lastCb)
      block(codes.chrominance, cr - lastCr)
      ;[lastY, lastCb, lastCr] = [y, cb, cr]
    }
  }
  return writer.finish()
}

export const jpegOf = (picture: Picture, huffmanTables: boolean): Buffer =>
  Buffer.from([
    ...[0xff, 0xd8],
    ...quantization,
    ...frameHeader(picture.width, picture.height),
    ...(huffmanTables ? huffmanSegment : []),
    ...scanHeader,
    ...scan(picture),
    // fill bytes (B.1.1.2): FFmpeg, which overlooks the end of so small a picture, would warn of a missing one
    ...[0xff, 0xff],
    ...[0xff, 0xd9]
  ])
