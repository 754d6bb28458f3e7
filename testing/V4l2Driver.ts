import type { Ioctl } from "../src/ground/KernelCalls.ts"

const EBUSY = 16
const EINVAL = 22
const ENOTTY = 25

type Range = readonly [minimum: number, maximum: number, step: number]

/** An interval in seconds as the kernel has it: numerator and denominator. */
export type Interval = readonly [seconds: number, parts: number]

export interface PlayedFormat {
  readonly fourcc: string
  readonly bigEndian?: boolean
  readonly sizes?: ReadonlyArray<readonly [width: number, height: number]>
  readonly sizeRange?: { readonly width: Range; readonly height: Range }
  readonly intervals?: ReadonlyArray<Interval>
  /** shortest, longest */
  readonly intervalRange?: readonly [Interval, Interval]
}

export interface PlayedDriver {
  readonly driver?: string
  readonly card?: string
  readonly bus?: string
  /** `device_caps`; without it `capabilities` is all there is, as with old drivers */
  readonly deviceCaps?: number
  readonly capabilities?: number
  readonly formats?: ReadonlyArray<PlayedFormat>
  /** of VIDIOC_ENUM_FMT: capture, or its multi-planar form */
  readonly type?: number
  readonly current?: {
    readonly width: number
    readonly height: number
    readonly fourcc?: string
    readonly interval?: Interval
  }
  /** whether another process streams from it */
  readonly isBusy?: () => boolean
}

/** Requests by their number; what they are made of is checked by the sizes. */
const names: Readonly<Record<number, string>> = {
  0: "QUERYCAP",
  2: "ENUM_FMT",
  4: "G_FMT",
  8: "REQBUFS",
  21: "G_PARM",
  74: "ENUM_FRAMESIZES",
  75: "ENUM_FRAMEINTERVALS"
}
/** sizeof the structures, as a C compiler tells for linux/videodev2.h on a 64-bit machine */
const sizes: Readonly<Record<string, number>> = {
  QUERYCAP: 104,
  ENUM_FMT: 64,
  G_FMT: 208,
  REQBUFS: 20,
  G_PARM: 204,
  ENUM_FRAMESIZES: 44,
  ENUM_FRAMEINTERVALS: 52
}

/** A driver's side of the ioctls, written by the structures of linux/videodev2.h. */
export const driverIoctl = (device: PlayedDriver): Ioctl => {
  const { card = "Camera", driver = "uvcvideo", formats = [], type = 1 } = device
  const codeOf = ({ bigEndian = false, fourcc }: PlayedFormat): number =>
    (Buffer.from(fourcc.padEnd(4), "latin1").readUInt32LE(0) | (bigEndian ? 0x80000000 : 0)) >>> 0
  return (request, argument) => {
    const name = names[request & 0xff] ?? ""
    if (((request >>> 8) & 0xff) !== 0x56 || sizes[name] !== argument.length) return ENOTTY
    const [first, second, third, fourth] = [0, 4, 8, 12].map((offset) => argument.readUInt32LE(offset))
    const put = (offset: number, values: ReadonlyArray<number>): number => {
      values.forEach((value, i) => argument.writeUInt32LE(value, offset + 4 * i))
      return 0
    }
    const format = formats.find((candidate) => codeOf(candidate) === second)
    switch (name) {
      case "QUERYCAP":
        argument.write(driver, 0, 16, "utf8")
        argument.write(card, 16, 32, "utf8")
        argument.write(device.bus ?? "usb-0000:00:14.0-2", 48, 32, "utf8")
        return device.deviceCaps === undefined
          ? put(84, [device.capabilities ?? 0])
          : put(84, [(0x80000000 | (device.capabilities ?? 0)) >>> 0, device.deviceCaps])
      case "ENUM_FMT": {
        const listed = second === type ? formats[first ?? 0] : undefined
        return listed === undefined ? EINVAL : put(44, [codeOf(listed)])
      }
      case "ENUM_FRAMESIZES": {
        if (format?.sizeRange !== undefined && first === 0) {
          return put(8, [3, ...format.sizeRange.width, ...format.sizeRange.height])
        }
        const size = format?.sizes?.[first ?? 0]
        return size === undefined ? EINVAL : put(8, [1, ...size])
      }
      case "ENUM_FRAMEINTERVALS": {
        const isSize = format?.sizes === undefined || format.sizes.some(([w, h]) => w === third && h === fourth)
        if (format?.intervalRange !== undefined && first === 0)
          return put(16, [3, ...format.intervalRange.flat(), 1, 1])
        const interval = isSize ? format?.intervals?.[first ?? 0] : undefined
        return interval === undefined ? EINVAL : put(16, [1, ...interval])
      }
      case "G_FMT":
        return device.current === undefined || first !== type
          ? EINVAL
          : put(8, [device.current.width, device.current.height, codeOf({ fourcc: device.current.fourcc ?? "YUYV" })])
      case "REQBUFS":
        // 1: V4L2_MEMORY_MMAP
        if (first !== 0 || second !== type || third !== 1) return EINVAL
        return device.isBusy?.() === true ? EBUSY : 0
      default:
        return device.current?.interval === undefined ? ENOTTY : put(12, device.current.interval)
    }
  }
}
