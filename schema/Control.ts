import * as Schema from "effect/Schema"
import { CameraId } from "./Camera.ts"

/** The kernel's types (V4L2_CTRL_TYPE_*); compound ones and the headings of its groups (classes) are left out. */
export const ControlType = Schema.Literals([
  "integer",
  "boolean",
  "menu",
  "button",
  "integer64",
  "string",
  "bitmask",
  "integer_menu"
])
export type ControlType = typeof ControlType.Type

const Wide = Schema.Union([Schema.Int, Schema.String])

export const MenuEntry = Schema.Struct({ value: Schema.Int, name: Schema.String })

/** A flag is there where it is true. */
const flag = (description: string) => Schema.optionalKey(Schema.Literal(true)).annotateKey({ description })

export const Control = Schema.Struct({
  id: Schema.Int.annotate({ description: "the kernel's number of the control (V4L2_CID_*)" }),
  name: Schema.String,
  type: ControlType,
  min: Wide.annotate({ description: "of a string: its shortest length in bytes" }),
  max: Wide.annotate({ description: "of a string: its longest length in bytes; of a bitmask: all bits there are" }),
  step: Wide,
  default: Wide,
  value: Schema.Union([Schema.Int, Schema.String, Schema.Null]).annotate({
    description:
      "a boolean is 0 or 1; text of a string, and decimal text of an integer64 beyond 2^53; null: it cannot be read"
  }),
  menu: Schema.optionalKey(Schema.Array(MenuEntry)).annotateKey({ description: "the values that a menu has" }),
  read_only: flag("it cannot be set"),
  write_only: flag("it cannot be read"),
  inactive: flag("another control governs it now, such as an automatic one"),
  grabbed: flag("it cannot be set now, such as while the camera streams"),
  volatile: flag("its value changes by itself")
}).annotate({ identifier: "Control" })
export type Control = typeof Control.Type

export const ControlList = Schema.Struct({ controls: Schema.Array(Control) })
export type ControlList = typeof ControlList.Type

export const SetControl = {
  device: CameraId,
  id: Schema.Int,
  value: Schema.optionalKey(Schema.Union([Schema.Int, Schema.Boolean, Schema.String])).annotateKey({
    description: "a number; true or false for a boolean; text for a string or a large integer64; a button needs none"
  })
}
