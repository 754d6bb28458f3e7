import type { ControlSpec } from "./CameraSpec.ts"

/**
 * The controls of a camera's processing unit and camera terminal: USB Video Class 1.1, sections 4.2.2.1 and 4.2.2.3;
 * their bits in bmControls: 3.7.2.3 and 3.7.2.5; the selectors: A.9.4 and A.9.5.
 */
type Unit = "terminal" | "processing"

interface Kind {
  readonly unit: Unit
  readonly selector: number
  readonly bit: number
  readonly bytes: 1 | 2 | 4
  readonly signed?: true
  /** minimum, maximum, step, default, unless the camera says otherwise */
  readonly range: readonly [minimum: number, maximum: number, step: number, initial: number]
  /** can be set only while that control has that value; V4L2 shows it as inactive otherwise */
  readonly while?: readonly [control: ControlName, value: number]
}

export type ControlName =
  | "brightness"
  | "contrast"
  | "hue"
  | "saturation"
  | "sharpness"
  | "gamma"
  | "backlightCompensation"
  | "gain"
  | "powerLineFrequency"
  | "whiteBalance"
  | "whiteBalanceAuto"
  | "exposureMode"
  | "exposureTime"
  | "focus"
  | "focusAuto"
  | "zoom"

/** Exposure modes are bits: 1 manual, 2 automatic, 4 shutter priority, 8 aperture priority (4.2.2.1.2). */
const manualExposure = 1

const kinds: Readonly<Record<ControlName, Kind>> = {
  backlightCompensation: { unit: "processing", selector: 0x01, bit: 8, bytes: 2, range: [0, 2, 1, 1] },
  brightness: { unit: "processing", selector: 0x02, bit: 0, bytes: 2, signed: true, range: [-64, 64, 1, 0] },
  contrast: { unit: "processing", selector: 0x03, bit: 1, bytes: 2, range: [0, 64, 1, 32] },
  gain: { unit: "processing", selector: 0x04, bit: 9, bytes: 2, range: [0, 100, 1, 0] },
  powerLineFrequency: { unit: "processing", selector: 0x05, bit: 10, bytes: 1, range: [0, 2, 1, 1] },
  hue: { unit: "processing", selector: 0x06, bit: 2, bytes: 2, signed: true, range: [-40, 40, 1, 0] },
  saturation: { unit: "processing", selector: 0x07, bit: 3, bytes: 2, range: [0, 128, 1, 64] },
  sharpness: { unit: "processing", selector: 0x08, bit: 4, bytes: 2, range: [0, 6, 1, 3] },
  gamma: { unit: "processing", selector: 0x09, bit: 5, bytes: 2, range: [72, 500, 1, 100] },
  whiteBalance: {
    unit: "processing",
    selector: 0x0a,
    bit: 6,
    bytes: 2,
    range: [2800, 6500, 10, 4600],
    while: ["whiteBalanceAuto", 0]
  },
  whiteBalanceAuto: { unit: "processing", selector: 0x0b, bit: 12, bytes: 1, range: [0, 1, 1, 1] },
  exposureMode: { unit: "terminal", selector: 0x02, bit: 1, bytes: 1, range: [1, 8, 9, 8] },
  exposureTime: {
    unit: "terminal",
    selector: 0x04,
    bit: 3,
    bytes: 4,
    range: [1, 5000, 1, 157],
    while: ["exposureMode", manualExposure]
  },
  focus: { unit: "terminal", selector: 0x06, bit: 5, bytes: 2, range: [0, 250, 5, 0], while: ["focusAuto", 0] },
  focusAuto: { unit: "terminal", selector: 0x08, bit: 17, bytes: 1, range: [0, 1, 1, 1] },
  zoom: { unit: "terminal", selector: 0x0b, bit: 9, bytes: 2, range: [100, 400, 1, 100] }
}

/** bRequest: A.8 */
export const request = {
  setCurrent: 0x01,
  current: 0x81,
  minimum: 0x82,
  maximum: 0x83,
  step: 0x84,
  length: 0x85,
  info: 0x86,
  initial: 0x87
}

/** Request error codes: 4.2.1.2 */
export const refusal = { none: 0, wrongState: 2, outOfRange: 4, invalidControl: 6, invalidRequest: 7 }

/** GET_INFO: 4.1.2. Says that the camera changes it by itself, so that the kernel reads it back. */
const readWrite = 0x03
const autoUpdate = 0x08

/** bmControls of a unit, three bytes. */
export const controlBits = (controls: ReadonlyArray<ControlSpec>, unit: Unit): ReadonlyArray<number> => {
  const bits = controls
    .map(({ name }) => kinds[name])
    .filter((kind) => kind.unit === unit)
    .reduce((all, kind) => all | (1 << kind.bit), 0)
  return [bits & 0xff, (bits >> 8) & 0xff, (bits >> 16) & 0xff]
}

/** A camera's controls and their values. */
export interface Controls {
  /** the answer, or a request error code */
  readonly get: (unit: Unit, selector: number, question: number) => Buffer | number
  /** a request error code, 0 when it was done */
  readonly set: (unit: Unit, selector: number, value: Buffer) => number
}

export const makeControls = (specs: ReadonlyArray<ControlSpec>): Controls => {
  const controls = specs.map((spec) => {
    const kind = kinds[spec.name]
    const [minimum, maximum, step, initial] = kind.range
    return {
      kind,
      spec,
      minimum: spec.minimum ?? minimum,
      maximum: spec.maximum ?? maximum,
      step: spec.step ?? step,
      initial: spec.default ?? initial,
      current: spec.default ?? initial
    }
  })
  const find = (unit: Unit, selector: number) =>
    controls.find(({ kind }) => kind.unit === unit && kind.selector === selector)
  const inBytes = (kind: Kind, value: number): Buffer => {
    const bytes = Buffer.alloc(4)
    bytes.writeInt32LE(value)
    return bytes.subarray(0, kind.bytes)
  }
  const isHeld = ({ while: condition }: Kind): boolean =>
    condition !== undefined &&
    controls.some(({ current, spec }) => spec.name === condition[0] && current !== condition[1])
  return {
    get: (unit, selector, question) => {
      const control = find(unit, selector)
      if (control === undefined) return refusal.invalidControl
      const { kind } = control
      switch (question) {
        case request.current:
          return inBytes(kind, control.current)
        case request.minimum:
          return inBytes(kind, control.minimum)
        case request.maximum:
          return inBytes(kind, control.maximum)
        case request.step:
          return inBytes(kind, control.step)
        case request.initial:
          return inBytes(kind, control.initial)
        case request.length:
          return Buffer.from([kind.bytes, 0])
        case request.info:
          return Buffer.from([control.spec.clampsAt === undefined ? readWrite : readWrite | autoUpdate])
        default:
          return refusal.invalidRequest
      }
    },
    set: (unit, selector, bytes) => {
      const control = find(unit, selector)
      if (control === undefined) return refusal.invalidControl
      const { kind } = control
      if (bytes.length < kind.bytes) return refusal.invalidRequest
      const value = kind.signed === true ? bytes.readIntLE(0, kind.bytes) : bytes.readUIntLE(0, kind.bytes)
      if (value < control.minimum || value > control.maximum) return refusal.outOfRange
      if (isHeld(kind)) return refusal.wrongState
      control.current = Math.min(value, control.spec.clampsAt ?? value)
      return refusal.none
    }
  }
}
