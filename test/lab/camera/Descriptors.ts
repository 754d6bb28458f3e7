import type { CameraSpec, FormatSpec, SizeSpec } from "./CameraSpec.ts"
import { controlBits } from "./Controls.ts"

/**
 * What a USB video camera says about itself: USB 2.0, chapter 9; USB Video Class 1.1 (section numbers below); its
 * MJPEG, uncompressed and frame-based payload documents. One control interface, one streaming interface.
 */

const le16 = (value: number): ReadonlyArray<number> => [value & 0xff, (value >> 8) & 0xff]
const le32 = (value: number): ReadonlyArray<number> => [...le16(value & 0xffff), ...le16(value >>> 16)]

/** The kernel gives a transfer 32 packets (UVC_MAX_PACKETS in uvcvideo.h): a payload has to fit into one. */
const packetBytes = 512
export const payloadBytes = 32 * packetBytes

export const videoEndpoint = 1
/** its address as an IN endpoint */
const videoAddress = 0x80 | videoEndpoint
export const controlInterface = 0
export const streamingInterface = 1
export const cameraTerminal = 1
export const processingUnit = 2
const outputTerminal = 3
const uvcVersion = 0x0110

/** Constants of appendix A, and of USB 2.0, table 9-5 */
const video = 0x0e
const csInterface = 0x24
const clockFrequency = 48_000_000

/** dwFrameInterval: units of 100 ns. */
export const intervalOf = (rate: number): number => Math.round(10_000_000 / rate)

const isRaw = ({ pixelFormat }: Pick<FormatSpec, "pixelFormat">): boolean => pixelFormat === "YUYV"

/** An upper bound; YUYV's exact size. */
export const frameBytes = ({ height, width }: Pick<SizeSpec, "width" | "height">): number => width * height * 2

/** The GUID of a four-character code. */
const guid = (code: string): ReadonlyArray<number> => [
  ...Buffer.from(code, "latin1"),
  ...[0x00, 0x00, 0x10, 0x00, 0x80, 0x00, 0x00, 0xaa, 0x00, 0x38, 0x9b, 0x71]
]

const sized = (...bytes: ReadonlyArray<number>): ReadonlyArray<number> => [bytes.length + 1, ...bytes]

/** Of the microphone's interface: the kernel asks for it once the camera's driver is bound, and binds no other meanwhile. */
export const microphoneString = 4
const microphoneInterface = 2

/** Strings 1 to 3; without a serial number there is no third. */
const strings = (spec: CameraSpec): ReadonlyArray<string> => [
  "Lab",
  spec.name,
  ...(spec.serial === undefined ? [] : [spec.serial])
]

/** USB 2.0, 9.6.7; index 0 lists the languages: US English. */
export const stringDescriptor = (spec: CameraSpec, index: number): Buffer | undefined => {
  if (index === 0) return Buffer.from(sized(0x03, ...le16(0x0409)))
  const text = index === microphoneString ? "Microphone" : strings(spec)[index - 1]
  return text === undefined ? undefined : Buffer.from(sized(0x03, ...Buffer.from(text, "utf16le")))
}

/** USB 2.0, 9.6.1; class 0xef/2/1: the interfaces are grouped (interface association). */
export const deviceDescriptor = (spec: CameraSpec): Buffer =>
  Buffer.from(
    sized(
      ...[0x01, ...le16(0x0200), 0xef, 0x02, 0x01, 64],
      // 1d6b is the Linux Foundation's, 0102 its webcam gadget's
      ...[...le16(spec.vendorId ?? 0x1d6b), ...le16(spec.productId ?? 0x0102), ...le16(0x0100)],
      ...[1, 2, spec.serial === undefined ? 0 : 3, 1]
    )
  )

const frameDescriptor = (format: FormatSpec, size: SizeSpec, index: number): ReadonlyArray<number> => {
  const { height, rates, width } = size
  const intervals = rates.map(intervalOf)
  const bits = frameBytes(size) * 8
  const [first = 0] = intervals
  const head = [index, 0, ...le16(width), ...le16(height), ...le32(bits), ...le32(bits * Math.max(...rates))]
  const list = intervals.flatMap(le32)
  // frame-based payload 3.1.2; MJPEG payload 3.1.2 and uncompressed payload 3.1.2 are alike
  if (format.pixelFormat === "H264") {
    return sized(csInterface, 0x11, ...head, ...le32(first), intervals.length, ...le32(0), ...list)
  }
  const subtype = isRaw(format) ? 0x05 : 0x07
  return sized(csInterface, subtype, ...head, ...le32(frameBytes(size)), ...le32(first), intervals.length, ...list)
}

const formatDescriptor = (format: FormatSpec, index: number): ReadonlyArray<number> => {
  const count = format.sizes.length
  switch (format.pixelFormat) {
    case "MJPG":
      return sized(csInterface, 0x06, index, count, 1, 1, 0, 0, 0, 0)
    case "YUYV":
      return sized(csInterface, 0x04, index, count, ...guid("YUY2"), 16, 1, 0, 0, 0, 0)
    case "H264":
      return sized(csInterface, 0x10, index, count, ...guid("H264"), 16, 1, 0, 0, 0, 0, 1)
  }
}

const interfaceDescriptor = (number: number, alternate: number, endpoints: number, subclass: number) =>
  sized(0x04, number, alternate, endpoints, video, subclass, 0, 0)

/** 3.7.2: header, camera terminal, processing unit, output terminal. */
const controlDescriptors = (spec: CameraSpec): ReadonlyArray<number> => {
  const controls = spec.controls ?? []
  const terminal = controlBits(controls, "terminal")
  const processing = controlBits(controls, "processing")
  const units = [
    ...sized(
      csInterface,
      0x02,
      cameraTerminal,
      ...le16(0x0201),
      0,
      0,
      ...le16(0),
      ...le16(0),
      ...le16(0),
      3,
      ...terminal
    ),
    ...sized(csInterface, 0x05, processingUnit, cameraTerminal, ...le16(0), 3, ...processing, 0, 0),
    ...sized(csInterface, 0x03, outputTerminal, ...le16(0x0101), 0, processingUnit, 0)
  ]
  const header = 13
  const total = le16(header + units.length)
  return [
    ...sized(csInterface, 0x01, ...le16(uvcVersion), ...total, ...le32(clockFrequency), 1, streamingInterface),
    ...units
  ]
}

/** 3.9.2: header, formats, frames. */
const streamingDescriptors = ({ formats }: CameraSpec): ReadonlyArray<number> => {
  const body = formats.flatMap((format, i) => [
    ...formatDescriptor(format, i + 1),
    ...format.sizes.flatMap((size, j) => frameDescriptor(format, size, j + 1)),
    // colour matching, 3.9.2.6: BT.709 primaries and gamma, SMPTE 170M matrix
    ...sized(csInterface, 0x0d, 1, 1, 4)
  ])
  const total = le16(13 + formats.length + body.length)
  return [
    ...sized(
      csInterface,
      0x01,
      formats.length,
      ...total,
      videoAddress,
      0,
      outputTerminal,
      0,
      0,
      0,
      1,
      ...formats.map(() => 0)
    ),
    ...body
  ]
}

/** USB 2.0, 9.6.6: bulk, or isochronous with three packets of 1024 bytes in a microframe. */
const bulkEndpoint = sized(0x05, videoAddress, 0x02, ...le16(packetBytes), 0)
const isochronousEndpoint = sized(0x05, videoAddress, 0x05, ...le16(0x1400), 1)

/** USB 2.0, 9.6.3, with all that follows it. A camera that finds the bus full has to ask for bandwidth: it is isochronous. */
export const configurationDescriptor = (spec: CameraSpec): Buffer => {
  const streaming =
    spec.busFull === true
      ? [
          ...interfaceDescriptor(streamingInterface, 0, 0, 2),
          ...streamingDescriptors(spec),
          ...interfaceDescriptor(streamingInterface, 1, 1, 2),
          ...isochronousEndpoint
        ]
      : [...interfaceDescriptor(streamingInterface, 0, 1, 2), ...streamingDescriptors(spec), ...bulkEndpoint]
  const body = [
    ...sized(0x0b, controlInterface, 2, video, 0x03, 0, 0),
    ...interfaceDescriptor(controlInterface, 0, 0, 1),
    ...controlDescriptors(spec),
    ...streaming,
    // of a class that no driver takes
    ...(spec.slowMicrophone === true ? sized(0x04, microphoneInterface, 0, 0, 0xff, 0, 0, microphoneString) : [])
  ]
  const interfaces = spec.slowMicrophone === true ? 3 : 2
  // powered by the bus, 100 mA
  return Buffer.from([...sized(0x02, ...le16(9 + body.length), interfaces, 1, 0, 0x80, 50), ...body])
}
