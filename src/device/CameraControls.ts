import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type { CameraId } from "../../schema/Camera.ts"
import { DependencyFailed, type InvalidParams, InvalidState, NotFound } from "../../schema/Errors.ts"
import { type Control, type Given, valueFor } from "./Control.ts"
import type { Mode } from "./Device.ts"
import { Devices } from "./Devices.ts"
import { type ControlsFailed, V4l2Controls } from "./v4l2/V4l2Controls.ts"

/** The settings of cameras: brightness, exposure, focus. They may be read and set while the camera streams. */
export class CameraControls extends Context.Service<
  CameraControls,
  {
    /** all that the camera has, by id, as they are now; none for a synthetic one */
    readonly list: (
      camera: CameraId
    ) => Effect.Effect<ReadonlyArray<Control>, NotFound | InvalidState | DependencyFailed>
    /** sets one, and gives it as the driver then has it: a driver may round */
    readonly set: (
      camera: CameraId,
      id: number,
      value: Given
    ) => Effect.Effect<Control, NotFound | InvalidParams | InvalidState | DependencyFailed>
    /** what it is set to deliver now; undefined where that cannot be told */
    readonly mode: (camera: CameraId) => Effect.Effect<Mode | undefined, NotFound>
  }
>()("camera-service/device/CameraControls") {
  static readonly layer = Layer.effect(
    CameraControls,
    Effect.gen(function* () {
      const devices = yield* Devices
      const controls = yield* V4l2Controls

      const pluggedIn = Effect.fnUntraced(function* (camera: CameraId) {
        const device = yield* devices.get(camera)
        return device.status === "DISCONNECTED" ? yield* away : device
      })

      const list = Effect.fn("CameraControls.list")(function* (camera: CameraId) {
        yield* Effect.annotateCurrentSpan("camera.id", camera)
        const { node } = (yield* pluggedIn(camera)).input
        return node === undefined ? [] : yield* Effect.catchTag(controls.list(node), "ControlsFailed", told)
      })

      const set = Effect.fn("CameraControls.set")(function* (camera: CameraId, id: number, given: Given) {
        yield* Effect.annotateCurrentSpan({ "camera.id": camera, "control.id": id })
        const { node } = (yield* pluggedIn(camera)).input
        const control =
          node !== undefined && isId(id)
            ? yield* Effect.catchTag(controls.describe(node, id), "ControlsFailed", told)
            : undefined
        if (node === undefined || control === undefined) {
          const suggestion = "get_camera_controls lists the controls that it has"
          return yield* new NotFound({ resource: "control", id: String(id), suggestion })
        }
        const value = yield* Effect.fromResult(valueFor(control, given))
        return yield* Effect.catchTag(controls.set(node, control, value), "ControlsFailed", told)
      })

      const mode = Effect.fn("CameraControls.mode")(function* (camera: CameraId) {
        yield* Effect.annotateCurrentSpan("camera.id", camera)
        const { input, status } = yield* devices.get(camera)
        if (input.node === undefined || status === "DISCONNECTED") return undefined
        return yield* Effect.orElseSucceed(controls.mode(input.node), () => undefined)
      })

      return CameraControls.of({ list, set, mode })
    })
  )
}

/** V4L2_CTRL_ID_MASK: the bits above would ask for another control than the one named. */
const isId = (id: number): boolean => id > 0 && id <= 0x0fffffff

const away = Effect.suspend(() =>
  Effect.fail(new InvalidState({ state: "DISCONNECTED", allowed_states: ["CONNECTED"] }))
)

const details: Readonly<Record<string, string>> = {
  TIMEOUT: "the camera does not answer control requests",
  CROWDED: "several cameras do not answer control requests, and this one's turn did not come",
  REFUSED: "the camera refused it",
  EACCES: "the service may not open the camera",
  EPERM: "the service may not open the camera",
  NO_FFI: "the kernel cannot be asked on this machine"
}

const told = ({ code }: ControlsFailed): Effect.Effect<never, InvalidState | DependencyFailed> =>
  code === "GONE"
    ? away
    : Effect.fail(
        new DependencyFailed({
          dependency: "camera",
          detail: details[code] ?? `the camera cannot be opened: ${code}`
        })
      )
