import * as Result from "effect/Result"
import type { ControlType } from "../../schema/Control.ts"
import { InvalidParams, InvalidState } from "../../schema/Errors.ts"

/** A setting of a camera, as its driver describes it (linux/videodev2.h, struct v4l2_query_ext_ctrl). */
export interface ControlInfo {
  readonly id: number
  readonly name: string
  readonly type: ControlType
  /** of a string: its shortest length in bytes */
  readonly minimum: bigint
  /** of a string: its longest length in bytes; of a bitmask: all bits there are */
  readonly maximum: bigint
  readonly step: bigint
  readonly default: bigint
  /** of the menus only */
  readonly menu: ReadonlyArray<{ readonly value: number; readonly name: string }>
  readonly flags: ReadonlySet<ControlFlag>
}

/** `inactive`: another control governs it now; `grabbed`: it cannot be set now; `volatile`: it changes by itself. */
export type ControlFlag = "grabbed" | "readOnly" | "inactive" | "writeOnly" | "volatile"

/** Text of a string control, the number of any other. */
export type ControlValue = bigint | string

export interface Control extends ControlInfo {
  /** undefined: it cannot be read */
  readonly value: ControlValue | undefined
}

/** What a client may give as a value. */
export type Given = number | boolean | string | undefined

/** The value that the kernel is to be given; what is wrong where it would refuse it, or silently take another. */
export const valueFor = (
  control: ControlInfo,
  given: Given
): Result.Result<ControlValue, InvalidParams | InvalidState> => {
  const { flags, id, name, type } = control
  if (flags.has("readOnly")) {
    return Result.fail(
      new InvalidParams({ param: "id", rule: "a control that can be set", hint: `${name} is read-only` })
    )
  }
  if (flags.has("grabbed")) {
    return unsettable("GRABBED", "it is held while the camera streams, or by another program: try again after that")
  }
  if (flags.has("inactive")) {
    const [governor, governorId] = governors[id] ?? []
    const which = governor === undefined ? "the control that governs it" : `${governor} (id ${governorId})`
    return unsettable("INACTIVE", `switch ${which} to manual first`)
  }
  const value = read(type, given)
  if (value !== undefined && allows(control, value)) return Result.succeed(value)
  const rule = ruleOf(control)
  return Result.fail(
    new InvalidParams({
      param: "value",
      rule: given === undefined ? `required: ${rule}` : rule,
      hint: `get_camera_controls tells what ${name} takes`
    })
  )
}

const unsettable = (state: string, suggestion: string) =>
  Result.fail(new InvalidState({ state, allowed_states: ["ACTIVE"], suggestion }))

/** The automatic controls that take others over, by the ids of those (V4L2_CID_* of linux/v4l2-controls.h). */
const governors: Readonly<Record<number, readonly [name: string, id: number]>> = {
  // HUE, GAIN, WHITE_BALANCE_TEMPERATURE
  0x980903: ["Hue, Automatic", 0x980919],
  0x980913: ["Gain, Automatic", 0x980912],
  0x98091a: ["White Balance, Automatic", 0x98090c],
  // EXPOSURE_ABSOLUTE, FOCUS_ABSOLUTE
  0x9a0902: ["Auto Exposure", 0x9a0901],
  0x9a090a: ["Focus, Automatic Continuous", 0x9a090c]
}

const read = (type: ControlType, given: Given): ControlValue | undefined => {
  if (type === "button") return 0n
  if (type === "string") return typeof given === "string" ? given : undefined
  if (type === "boolean" && typeof given === "boolean") return BigInt(given)
  // as many digits as 2^63 has
  if (type === "integer64" && typeof given === "string" && /^-?\d{1,19}$/.test(given)) return BigInt(given)
  return Number.isSafeInteger(given) ? BigInt(given as number) : undefined
}

/** A number between two steps is allowed: the driver rounds it, and the answer shows to what. */
const allows = ({ maximum, menu, minimum, step, type }: ControlInfo, value: ControlValue): boolean => {
  if (typeof value === "string") {
    const length = BigInt(Buffer.byteLength(value))
    const fits = length >= minimum && length <= maximum && (step <= 1n || (length - minimum) % step === 0n)
    // the kernel's texts end with a zero
    return fits && !value.includes("\0")
  }
  switch (type) {
    case "button":
      return true
    case "menu":
    case "integer_menu":
      return menu.some((entry) => BigInt(entry.value) === value)
    case "bitmask":
      return value >= 0n && (value & ~maximum) === 0n
    default:
      return value >= minimum && value <= maximum
  }
}

const ruleOf = ({ maximum, menu, minimum, step, type }: ControlInfo): string => {
  const steps = step > 1n ? `, in steps of ${step}` : ""
  switch (type) {
    case "boolean":
      return "true or false"
    case "string":
      return `a text of ${minimum} to ${maximum} bytes${steps}`
    case "menu":
    case "integer_menu":
      return `one of ${menu.map(({ name, value }) => `${value} (${name})`).join(", ")}`
    case "bitmask":
      return `a whole number with no bits but those of ${maximum}`
    default:
      return `a whole number from ${minimum} to ${maximum}${steps}`
  }
}
