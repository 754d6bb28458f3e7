import type { ControlType } from "../../../schema/Control.ts"
import type { ControlFlag, ControlInfo, ControlValue } from "../Control.ts"
import { textAt } from "./Ioctl.ts"

/**
 * The kernel's questions about a camera's controls, and how they lie in memory: numbers, sizes and offsets of
 * linux/videodev2.h (API of Linux 5.10 and later), the same on x86-64 and arm64, both of which are little-endian.
 */

/** _IOWR of 'V': direction, size of the structure, 0x56, number. */
export const requests = {
  queryExtControl: 0xc0e85667,
  queryMenu: 0xc02c5625,
  getExtControls: 0xc0205647,
  setExtControls: 0xc0205648
}

const sizeOf = (request: number): number => (request >>> 16) & 0x3fff

/** V4L2_CTRL_TYPE_*; left out are 6, the heading of a class, and the compound ones from 0x100 on. */
const types: Readonly<Record<number, ControlType>> = {
  1: "integer",
  2: "boolean",
  3: "menu",
  4: "button",
  5: "integer64",
  7: "string",
  8: "bitmask",
  9: "integer_menu"
}

/** V4L2_CTRL_FLAG_* */
const disabled = 0x1
const flags: ReadonlyArray<readonly [bit: number, flag: ControlFlag]> = [
  [0x2, "grabbed"],
  [0x4, "readOnly"],
  [0x10, "inactive"],
  [0x40, "writeOnly"],
  [0x80, "volatile"]
]

/** V4L2_CTRL_FLAG_NEXT_CTRL: the one after this id; it passes over compound controls. */
const next = 0x80000000

const query = (id: number): Buffer => {
  const argument = Buffer.alloc(sizeOf(requests.queryExtControl))
  argument.writeUInt32LE(id, 0)
  return argument
}

/** VIDIOC_QUERY_EXT_CTRL of the control with this id. */
export const queryControl = (id: number): Buffer => query(id)

/** VIDIOC_QUERY_EXT_CTRL of the first control with a larger id. */
export const queryNext = (id: number): Buffer => query((id | next) >>> 0)

/** struct v4l2_query_ext_ctrl: whose answer it is. */
export const idOf = (answer: Buffer): number => answer.readUInt32LE(0)

/** struct v4l2_query_ext_ctrl, without its menu; undefined for what is no control of one value, or is disabled. */
export const controlOf = (answer: Buffer): ControlInfo | undefined => {
  const type = types[answer.readUInt32LE(4)]
  const set = answer.readUInt32LE(72)
  const dimensions = answer.readUInt32LE(84)
  if (type === undefined || dimensions > 0 || (set & disabled) !== 0) return undefined
  // 32 bits, whose highest is no sign
  const numberAt = (offset: number): bigint => {
    const number = answer.readBigInt64LE(offset)
    return type === "bitmask" ? BigInt.asUintN(32, number) : number
  }
  return {
    id: idOf(answer),
    name: textAt(answer, 8, 32),
    type,
    minimum: numberAt(40),
    maximum: numberAt(48),
    step: answer.readBigUInt64LE(56),
    default: numberAt(64),
    menu: [],
    flags: new Set(flags.flatMap(([bit, flag]) => ((set & bit) === 0 ? [] : [flag])))
  }
}

/** A driver's mask of the entries that its menu lacks has 64 bits. */
const maxMenu = 64n

/** The places in a menu, at some of which there may be nothing. */
export const menuPlaces = ({ maximum, minimum, type }: ControlInfo): ReadonlyArray<number> => {
  if (type !== "menu" && type !== "integer_menu") return []
  const length = maximum - minimum + 1n
  return Array.from({ length: Number(length > maxMenu ? maxMenu : length) }, (_, i) => Number(minimum) + i)
}

/** VIDIOC_QUERYMENU, which is refused where there is no entry. */
export const queryMenu = ({ id }: ControlInfo, place: number): Buffer => {
  const argument = Buffer.alloc(sizeOf(requests.queryMenu))
  argument.writeUInt32LE(id, 0)
  argument.writeUInt32LE(place, 4)
  return argument
}

/** struct v4l2_querymenu: the entry's name, or its number in decimals. */
export const menuNameOf = ({ type }: ControlInfo, answer: Buffer): string =>
  type === "integer_menu" ? String(answer.readBigInt64LE(8)) : textAt(answer, 8, 32)

/** sizeof(struct v4l2_ext_controls), sizeof(struct v4l2_ext_control) */
const headSize = 32
const controlSize = 20
const valueAt = headSize + 12
const textStart = headSize + controlSize
/** More than any text of a driver has. */
const maxText = 65_535n

/** With the zero at its end. */
const textSize = ({ maximum }: ControlInfo): number => Number(maximum < maxText ? maximum : maxText) + 1

/**
 * The argument of VIDIOC_G_EXT_CTRLS, or with a value of VIDIOC_S_EXT_CTRLS: struct v4l2_ext_controls, the one
 * v4l2_ext_control that it points to, and the text that this points to. They are one piece of memory, so that all of it
 * is there for as long as the kernel may write to it.
 */
export const extControls = (
  control: ControlInfo,
  addressOf: (buffer: Buffer) => bigint,
  value?: ControlValue
): Buffer => {
  const isText = control.type === "string"
  const size = isText ? textSize(control) : 0
  const argument = Buffer.alloc(textStart + size)
  const address = addressOf(argument)
  argument.writeUInt32LE(1, 4)
  argument.writeBigUInt64LE(address + BigInt(headSize), 24)
  argument.writeUInt32LE(control.id, headSize)
  argument.writeUInt32LE(size, headSize + 4)
  if (isText) argument.writeBigUInt64LE(address + BigInt(textStart), valueAt)
  if (typeof value === "string") argument.write(value, textStart, size - 1, "utf8")
  else if (value !== undefined) argument.writeBigInt64LE(BigInt.asIntN(64, value), valueAt)
  return argument
}

/** The value that the kernel has put there. */
export const valueOf = ({ type }: ControlInfo, argument: Buffer): ControlValue => {
  switch (type) {
    case "string": {
      const end = argument.indexOf(0, textStart)
      return argument.toString("utf8", textStart, end < 0 ? argument.length : end)
    }
    case "integer64":
      return argument.readBigInt64LE(valueAt)
    case "bitmask":
      return BigInt(argument.readUInt32LE(valueAt))
    default:
      return BigInt(argument.readInt32LE(valueAt))
  }
}
