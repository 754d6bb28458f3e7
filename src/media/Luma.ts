import { Bits, type NextByte } from "./Bits.ts"
import { standardTables } from "./HuffmanTables.ts"
import { markers, segments, word } from "./JpegSegments.ts"

/**
 * How bright a JPEG is, without decoding it: the DC coefficient of a block is eight times the mean of its pixels
 * (ITU-T T.81, A.3.3). Only sequential, Huffman-coded pictures of 8 bits are read, as cameras make them.
 */

/** The frames that can be read: baseline, and extended sequential with Huffman codes. */
const sof0 = 0xc0
const sof1 = 0xc1

/** By 16 bits of the scan that begin with a code: its length × 256 + its value; 0: there is no such code (annex C). */
type Codes = Uint16Array

interface Component {
  readonly id: number
  readonly horizontal: number
  readonly vertical: number
  /** which quantization table */
  readonly table: number
}

interface Headers {
  readonly codes: Map<number, Codes>
  /** by table: what the DC coefficient is multiplied with */
  readonly steps: Map<number, number>
  width: number
  height: number
  components: ReadonlyArray<Component>
  /** units between two restart markers; 0: there are none */
  restartInterval: number
}

/** A component as the scan codes it. */
interface Coded {
  readonly isLuma: boolean
  readonly blocks: number
  readonly dc: Codes
  readonly ac: Codes
  predicted: number
}

/** A DHT segment's tables (B.2.4.2), by class and destination. */
const readCodes = (segment: Uint8Array, into: Map<number, Codes>): void => {
  for (let at = 0; at + 17 <= segment.length;) {
    const codes = new Uint16Array(1 << 16)
    into.set(segment[at] ?? 0, codes)
    let value = at + 17
    let code = 0
    for (let bits = 1; bits <= 16; bits++) {
      const span = 1 << (16 - bits)
      for (let left = segment[at + bits] ?? 0; left > 0; left--) {
        codes.fill((bits << 8) | (segment[value++] ?? 0), code, code + span)
        code += span
      }
    }
    at = value
  }
}

/** A DQT segment's first entries (B.2.4.1), of 8 or 16 bits. */
const readSteps = (segment: Uint8Array, into: Map<number, number>): void => {
  for (let at = 0; at + 3 <= segment.length;) {
    const head = segment[at] ?? 0
    const isWide = head >> 4 === 1
    into.set(head & 15, isWide ? word(segment, at + 1) : (segment[at + 1] ?? 0))
    at += 1 + (isWide ? 128 : 64)
  }
}

const readFrame = (segment: Uint8Array, headers: Headers): void => {
  headers.height = word(segment, 1)
  headers.width = word(segment, 3)
  headers.components = Array.from({ length: segment[5] ?? 0 }, (_, i) => {
    const [id = 0, factors = 0, table = 0] = segment.subarray(6 + 3 * i)
    return { id, horizontal: factors >> 4, vertical: factors & 15, table }
  })
}

/** Sizes and factors that a frame may have (B.2.2), and colors as cameras have them. */
const isSound = ({ components, height, width }: Headers): boolean =>
  (components.length === 1 || components.length === 3) &&
  width > 0 &&
  height > 0 &&
  components.every(({ horizontal, vertical }) => [horizontal, vertical].every((factor) => factor >= 1 && factor <= 4))

/** The bytes of a scan between two markers, without the zeros that are stuffed behind FF (B.1.1.5). */
const scanReader = (data: Uint8Array) => {
  let at = 0
  const next: NextByte = () => {
    const byte = data[at]
    if (byte !== 0xff) {
      at++
      return byte
    }
    if (data[at + 1] !== 0) return undefined
    at += 2
    return byte
  }
  /** goes on behind the restart marker; false: none comes */
  const restart = (): boolean => {
    if (data[at] !== 0xff) return false
    while (data[at] === 0xff) at++ // fill bytes, and the marker's own
    const marker = data[at++] ?? 0
    return marker >= markers.rst0 && marker <= markers.rst7
  }
  return { next, restart }
}

/** The value of the code that comes; -1: there is none. */
const decode = (read: Bits, codes: Codes): number => {
  const found = codes[read.peek(16)] ?? 0
  read.skip(found >> 8)
  return found === 0 ? -1 : found & 0xff
}

/** The DC coefficient of the block that comes, as it was quantized (F.2.2); undefined: the scan is broken. */
const readBlock = (read: Bits, coded: Coded): number | undefined => {
  const size = decode(read, coded.dc)
  if (size < 0 || size > 15) return undefined
  if (size > 0) {
    const value = read.take(size)
    coded.predicted += value < 1 << (size - 1) ? value - (1 << size) + 1 : value
  }
  for (let k = 1; k < 64;) {
    const code = decode(read, coded.ac)
    if (code < 0) return undefined
    const run = code >> 4
    const bits = code & 15
    if (bits === 0 && run < 15) break
    k += run + 1
    read.take(bits)
  }
  return coded.predicted
}

/** What the scan's header (B.2.3) says of its components; undefined where a table is missing. */
const readComponents = (segment: Uint8Array, headers: Headers): ReadonlyArray<Coded> | undefined => {
  const count = segment[0] ?? 0
  const coded: Array<Coded> = []
  for (let i = 0; i < count; i++) {
    const [id, tables = 0] = segment.subarray(1 + 2 * i)
    const component = headers.components.find((candidate) => candidate.id === id)
    const dc = headers.codes.get(tables >> 4)
    const ac = headers.codes.get(0x10 | (tables & 15))
    if (component === undefined || dc === undefined || ac === undefined) return undefined
    const blocks = count === 1 ? 1 : component.horizontal * component.vertical
    coded.push({ isLuma: component === headers.components[0], blocks, dc, ac, predicted: 0 })
  }
  return coded
}

/** How many units a scan has: blocks of its one component, or rectangles in which all components have some (A.2). */
const unitsOf = (count: number, { components, height, width }: Headers): number => {
  const most = (of: (component: Component) => number) => Math.max(...components.map(of))
  const across = most(({ horizontal }) => horizontal) / (count === 1 ? (components[0]?.horizontal ?? 1) : 1)
  const down = most(({ vertical }) => vertical) / (count === 1 ? (components[0]?.vertical ?? 1) : 1)
  return Math.ceil(width / (8 * across)) * Math.ceil(height / (8 * down))
}

const readScan = (header: Uint8Array, data: Uint8Array, headers: Headers, most: number): number | undefined => {
  const coded = readComponents(header, headers)
  const step = headers.steps.get(headers.components[0]?.table ?? 0)
  if (coded === undefined || step === undefined || step === 0 || !coded.some(({ isLuma }) => isLuma)) return undefined
  const scan = scanReader(data)
  let read = new Bits(scan.next)
  const units = unitsOf(coded.length, headers)
  const luma = coded.reduce((all, { blocks, isLuma }) => all + (isLuma ? blocks : 0), 0)
  const black = (-128 * 8) / step
  /** of all coefficients, above black, at which the mean is `most` */
  const enough = ((most * 8) / step) * luma * units
  let sum = 0
  for (let unit = 0; unit < units; unit++) {
    if (headers.restartInterval > 0 && unit > 0 && unit % headers.restartInterval === 0) {
      if (!scan.restart()) return undefined
      read = new Bits(scan.next)
      for (const component of coded) component.predicted = 0
    }
    for (const component of coded) {
      for (let block = 0; block < component.blocks; block++) {
        const dc = readBlock(read, component)
        if (dc === undefined) return undefined
        if (component.isLuma) sum += dc - black
      }
    }
    if (read.isOver) return undefined
    if (sum >= enough) return most
  }
  return (sum * step) / (8 * luma * units)
}

let standardCodes: ReadonlyMap<number, Codes> | undefined

/** What a camera leaves out is meant. */
const impliedCodes = (): Map<number, Codes> => {
  if (standardCodes === undefined) {
    const codes = new Map<number, Codes>()
    readCodes(standardTables.subarray(4), codes)
    standardCodes = codes
  }
  return new Map(standardCodes)
}

/**
 * The mean brightness of a JPEG, 0 (black) to 255; undefined where it cannot be read. It is counted up to `most`: a
 * brighter picture is not read to its end (640 × 480 up to 24: 0.4 ms; 3 ms for one that is dark and full of noise).
 */
export const meanLuma = (jpeg: Uint8Array, most = 256): number | undefined => {
  const headers: Headers = {
    codes: impliedCodes(),
    steps: new Map(),
    width: 0,
    height: 0,
    components: [],
    restartInterval: 0
  }
  for (const { content, end, marker } of segments(jpeg)) {
    const segment = jpeg.subarray(content, end)
    switch (marker) {
      case sof0:
      case sof1:
        if (segment[0] !== 8 || segment.length < 6 + 3 * (segment[5] ?? 0)) return undefined
        readFrame(segment, headers)
        if (!isSound(headers)) return undefined
        break
      case markers.dht:
        readCodes(segment, headers.codes)
        break
      case markers.dqt:
        readSteps(segment, headers.steps)
        break
      case markers.dri:
        if (segment.length < 2) return undefined
        headers.restartInterval = word(segment, 0)
        break
      case markers.sos:
        return headers.components.length === 0 ? undefined : readScan(segment, jpeg.subarray(end), headers, most)
    }
  }
  return undefined
}
