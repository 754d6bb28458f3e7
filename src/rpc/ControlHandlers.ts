import * as Effect from "effect/Effect"
import { ControlRpcs } from "../../schema/CameraRpcs.ts"
import type { Control as Wire } from "../../schema/Control.ts"
import { CameraControls } from "../device/CameraControls.ts"
import type { Control, ControlValue } from "../device/Control.ts"
import { visible } from "./Authorization.ts"

/** What JSON's numbers cannot hold is written in decimals. */
const onWire = (value: ControlValue): number | string => {
  const number = Number(value)
  return typeof value === "bigint" && Number.isSafeInteger(number) ? number : String(value)
}

const view = ({ flags, id, maximum, menu, minimum, name, step, type, value, ...control }: Control): Wire => ({
  id,
  name,
  type,
  min: onWire(minimum),
  max: onWire(maximum),
  step: onWire(step),
  // the kernel knows no default of texts
  default: type === "string" ? "" : onWire(control.default),
  value: value === undefined ? null : onWire(value),
  ...(type === "menu" || type === "integer_menu" ? { menu } : {}),
  ...(flags.has("readOnly") ? { read_only: true } : {}),
  ...(flags.has("writeOnly") ? { write_only: true } : {}),
  ...(flags.has("inactive") ? { inactive: true } : {}),
  ...(flags.has("grabbed") ? { grabbed: true } : {}),
  ...(flags.has("volatile") ? { volatile: true } : {})
})

export const layer = ControlRpcs.toLayer(
  Effect.gen(function* () {
    const controls = yield* CameraControls
    return ControlRpcs.of({
      get_camera_controls: Effect.fnUntraced(function* ({ device }) {
        const list = yield* controls.list(yield* visible(device))
        return { controls: list.map(view) }
      }),

      set_camera_control: Effect.fnUntraced(function* ({ device, id, value }) {
        return view(yield* controls.set(yield* visible(device), id, value))
      })
    })
  })
)
