import type { Ioctl } from "../../ground/KernelCalls.ts"
import type { FrameSize, Mode } from "../Device.ts"

/**
 * The kernel's questions about a V4L2 node, and how its answers lie in memory: numbers, sizes and offsets of
 * linux/videodev2.h (API of Linux 5.10 and later), the same on x86-64 and arm64, both of which are little-endian.
 */

/** _IOR and _IOWR of 'V': direction, size of the structure, 0x56, number. */
const requests = {
  queryCapability: 0x80685600,
  enumerateFormats: 0xc0405602,
  getFormat: 0xc0d05604,
  requestBuffers: 0xc0145608,
  getParameters: 0xc0cc5615,
  enumerateFrameSizes: 0xc02c564a,
  enumerateFrameIntervals: 0xc034564b
}

const sizeOf = (request: number): number => (request >>> 16) & 0x3fff

/** V4L2_CAP_* */
const capability = {
  videoCapture: 0x1,
  videoOutput: 0x2,
  videoCaptureMplane: 0x1000,
  videoOutputMplane: 0x2000,
  videoM2mMplane: 0x4000,
  videoM2m: 0x8000,
  radio: 0x40000,
  metaCapture: 0x800000,
  metaOutput: 0x8000000,
  touch: 0x10000000,
  ioMc: 0x20000000,
  deviceCaps: 0x80000000
}

const delivers = capability.videoCapture | capability.videoCaptureMplane

/** Nodes with one of these are no cameras: outputs, converters, metadata, and those that only a media controller can run. */
const isOther =
  capability.videoOutput |
  capability.videoOutputMplane |
  capability.videoM2m |
  capability.videoM2mMplane |
  capability.radio |
  capability.metaCapture |
  capability.metaOutput |
  capability.touch |
  capability.ioMc

/** Whether a node with these `device_caps` is a camera. */
export const isCamera = (deviceCaps: number): boolean => (deviceCaps & delivers) !== 0 && (deviceCaps & isOther) === 0

/** V4L2_BUF_TYPE_VIDEO_CAPTURE, and its multi-planar form where the node has no other. */
export const bufferType = (deviceCaps: number): number => ((deviceCaps & capability.videoCapture) !== 0 ? 1 : 9)

const structure = (request: number, fields: ReadonlyArray<number>): Buffer => {
  const argument = Buffer.alloc(sizeOf(request))
  fields.forEach((value, i) => argument.writeUInt32LE(value, i * 4))
  return argument
}

const ask = (ioctl: Ioctl, request: number, fields: ReadonlyArray<number>): Buffer | number => {
  const argument = structure(request, fields)
  const errno = ioctl(request, argument)
  return errno === 0 ? argument : errno
}

/** For questions whose refusal means that there is nothing, or nothing more. */
const askMaybe = (ioctl: Ioctl, request: number, fields: ReadonlyArray<number>): Buffer | undefined => {
  const answer = ask(ioctl, request, fields)
  return typeof answer === "number" ? undefined : answer
}

/** Text of a fixed size, which ends with a zero where it is shorter; drivers put any bytes there. */
export const textAt = (buffer: Buffer, offset: number, size: number): string => {
  const end = buffer.indexOf(0, offset)
  return buffer
    .toString("utf8", offset, end < 0 ? offset + size : Math.min(end, offset + size))
    .replace(/\p{Cc}/gu, "")
    .trim()
}

export interface Capability {
  readonly driver: string
  /** what the device calls itself; the kernel cuts it at 31 bytes */
  readonly card: string
  /** where it is plugged in: `usb-0000:00:14.0-2`, `platform:vivid-000` */
  readonly bus: string
  /** what this node can do (the device's other nodes may do other things) */
  readonly deviceCaps: number
}

/** VIDIOC_QUERYCAP; the errno where the node is no V4L2 node, or is gone. */
export const queryCapability = (ioctl: Ioctl): Capability | number => {
  const answer = ask(ioctl, requests.queryCapability, [])
  if (typeof answer === "number") return answer
  const all = answer.readUInt32LE(84)
  return {
    driver: textAt(answer, 0, 16),
    card: textAt(answer, 16, 32),
    bus: textAt(answer, 48, 32),
    deviceCaps: (all & capability.deviceCaps) !== 0 ? answer.readUInt32LE(88) : all
  }
}

/** v4l2_fourcc: the four characters, and a mark for the big-endian variants (bit 31). */
const fourcc = (code: number): string =>
  String.fromCharCode(code & 0x7f, (code >>> 8) & 0x7f, (code >>> 16) & 0x7f, (code >>> 24) & 0x7f).trim() +
  (code >>> 31 === 1 ? "-BE" : "")

/** VIDIOC_ENUM_FMT: the pixel format with this index and its code; undefined after the last. */
export const formatAt = (ioctl: Ioctl, type: number, index: number) => {
  const answer = askMaybe(ioctl, requests.enumerateFormats, [index, type])
  if (answer === undefined) return undefined
  const code = answer.readUInt32LE(44)
  return { code, pixelFormat: fourcc(code) }
}

type Frame = Pick<FrameSize, "width" | "height">

/** Sizes that are offered where a device takes any size in a range: QCIF to 4K, as cameras usually have them. */
const commonSizes: ReadonlyArray<readonly [width: number, height: number]> = [
  ...([
    [176, 144],
    [320, 180],
    [320, 240],
    [352, 288],
    [640, 360],
    [640, 480],
    [720, 480]
  ] as const),
  ...([
    [720, 576],
    [800, 600],
    [960, 540],
    [1024, 768],
    [1280, 720],
    [1280, 960],
    [1600, 1200]
  ] as const),
  ...([
    [1920, 1080],
    [2560, 1440],
    [3840, 2160]
  ] as const)
]

const isStep = (value: number, minimum: number, maximum: number, step: number): boolean =>
  value >= minimum && value <= maximum && (step <= 1 || (value - minimum) % step === 0)

/** A device with more entries than any real one has is broken, and must not hold us. */
const entries = 64

const discrete = 1

/** VIDIOC_ENUM_FRAMESIZES: the sizes of a pixel format; of a range the common ones and the largest. */
export const frameSizes = (ioctl: Ioctl, code: number): ReadonlyArray<Frame> => {
  const sizes: Array<Frame> = []
  for (let index = 0; index < entries; index++) {
    const answer = askMaybe(ioctl, requests.enumerateFrameSizes, [index, code])
    if (answer === undefined) break
    const at = (field: number): number => answer.readUInt32LE(12 + 4 * field)
    if (answer.readUInt32LE(8) !== discrete) {
      const [minWidth, maxWidth, stepWidth] = [at(0), at(1), at(2)]
      const [minHeight, maxHeight, stepHeight] = [at(3), at(4), at(5)]
      const common = commonSizes.filter(
        ([width, height]) =>
          isStep(width, minWidth, maxWidth, stepWidth) &&
          isStep(height, minHeight, maxHeight, stepHeight) &&
          (width !== maxWidth || height !== maxHeight)
      )
      return [...common.map(([width, height]) => ({ width, height })), { width: maxWidth, height: maxHeight }]
    }
    const size = { width: at(0), height: at(1) }
    // some cameras list their preferred size first and once more in its place
    if (!sizes.some(({ height, width }) => width === size.width && height === size.height)) sizes.push(size)
  }
  return sizes
}

/** A call for a thread of its own. */
export interface Call {
  readonly request: number
  readonly argument: Buffer
}

/** VIDIOC_G_FMT: waits for the lock that S_FMT and STREAMON hold while they wait for the device. */
export const getFormat = (type: number): Call => ({
  request: requests.getFormat,
  argument: structure(requests.getFormat, [type])
})

/** VIDIOC_G_PARM */
export const getParameters = (type: number): Call => ({
  request: requests.getParameters,
  argument: structure(requests.getParameters, [type])
})

/** What is set now, by the answers to these two; a driver may have none to the second. */
export const modeOf = (format: Buffer, parameters: Buffer | undefined): Mode => {
  // v4l2_pix_format and v4l2_pix_format_mplane both begin with width, height and pixel format
  const [width, height, code] = [format.readUInt32LE(8), format.readUInt32LE(12), format.readUInt32LE(16)]
  const rate = parameters === undefined ? 0 : rateOf(parameters.readUInt32LE(12), parameters.readUInt32LE(16))
  return { pixelFormat: fourcc(code), width, height, ...(rate === 0 ? {} : { rate }) }
}

/** `modeOf`, asked for without a thread; undefined where the driver does not tell. */
export const currentMode = (ioctl: Ioctl, type: number): Mode | undefined => {
  const format = askMaybe(ioctl, requests.getFormat, [type])
  return format === undefined ? undefined : modeOf(format, askMaybe(ioctl, requests.getParameters, [type]))
}

/** V4L2_MEMORY_MMAP */
const memoryMmap = 1

/** VIDIOC_REQBUFS for no buffers: changes nothing, and is refused (EBUSY) while another has the camera deliver to it. */
export const requestNoBuffers = (type: number): Call => ({
  request: requests.requestBuffers,
  argument: structure(requests.requestBuffers, [0, type, memoryMmap])
})

const commonRates: ReadonlyArray<number> = [5, 10, 15, 20, 24, 25, 30, 50, 60]

/** Frames a second, to a thousandth; NTSC's 30000/1001 is 29.97. */
const rateOf = (seconds: number, parts: number): number =>
  seconds === 0 ? 0 : Math.round((parts / seconds) * 1000) / 1000

/** VIDIOC_ENUM_FRAMEINTERVALS: the rates of a size, the fastest first; of a range the common ones and the fastest. */
export const frameRates = (ioctl: Ioctl, code: number, { height, width }: Frame): ReadonlyArray<number> => {
  const rates = new Set<number>()
  for (let index = 0; index < entries; index++) {
    const answer = askMaybe(ioctl, requests.enumerateFrameIntervals, [index, code, width, height])
    if (answer === undefined) break
    const rateAt = (offset: number): number => rateOf(answer.readUInt32LE(offset), answer.readUInt32LE(offset + 4))
    const fastest = rateAt(20)
    rates.add(fastest)
    if (answer.readUInt32LE(16) !== discrete) {
      const slowest = rateAt(28)
      for (const rate of commonRates) if (rate >= slowest && rate <= fastest) rates.add(rate)
      break
    }
  }
  rates.delete(0)
  return [...rates].sort((a, b) => b - a)
}
