import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { CurrentSession } from "../../schema/Auth.ts"
import type { CameraList } from "../../schema/Camera.ts"
import { DeviceRpcs } from "../../schema/CameraRpcs.ts"
import { PermissionDenied } from "../../schema/Errors.ts"
import { Settings } from "../config/Settings.ts"
import { CameraControls } from "../device/CameraControls.ts"
import type { Device } from "../device/Device.ts"
import { Devices } from "../device/Devices.ts"
import { Ptz } from "../external/Ptz.ts"
import { millisSince, toSeconds } from "../ground/Time.ts"
import { Recordings } from "../recording/Recordings.ts"
import { Feeds } from "../stream/Feeds.ts"
import { Status } from "../stream/Status.ts"
import { maySee, visible } from "./Authorization.ts"
import { cameraViews, currentOf, formatsOf, makeHostOfClient, perName, ratesOf, resolutionsOf } from "./CameraView.ts"

export const layer = DeviceRpcs.toLayer(
  Effect.gen(function* () {
    const devices = yield* Devices
    const controls = yield* CameraControls
    const ptz = yield* Ptz
    const settings = yield* Settings
    const recordings = yield* Recordings
    const viewFor = cameraViews(yield* Feeds, recordings, settings.boot)
    const hostOf = yield* makeHostOfClient
    const status = yield* Status

    const listOf = (shown: ReadonlyArray<Device>, host: string): CameraList => ({
      cameras: shown.map(viewFor(host)),
      total: shown.length,
      connected: shown.filter(({ status }) => status === "CONNECTED").length
    })

    /** The list for users who see all cameras, made anew only when the registry changed, or a recording. */
    const wholeList = perName((host) => {
      const listNow = () => ({ of: devices.list(), with: recordings.now(), list: listOf(devices.list(), host) })
      let whole = listNow()
      return (): CameraList => {
        if (whole.of !== devices.list() || whole.with !== recordings.now()) whole = listNow()
        return whole.list
      }
    })

    const metricsOf = Effect.fnUntraced(function* (device: Device) {
      const known = yield* Effect.option(status.of(device.id))
      // optional on the wire: left out while MediaMTX does not say
      if (Option.isNone(known) || known.value.stream === undefined) return undefined
      const { path, stream, viewers } = known.value
      return {
        bytes_sent: path?.bytesSent ?? 0,
        readers: viewers,
        uptime: toSeconds(yield* millisSince(stream.startedAt))
      }
    })

    return DeviceRpcs.of({
      get_camera_list: (_, { client }) =>
        Effect.map(CurrentSession, (session) => {
          const host = hostOf(client.id)
          if (session.cameras === undefined) return wholeList(host)()
          return listOf(
            devices.list().filter(({ id }) => maySee(session, id)),
            host
          )
        }),

      get_camera_status: Effect.fnUntraced(function* ({ debug, device: id }, { client }) {
        const device = yield* devices.get(yield* visible(id))
        const { role } = yield* CurrentSession
        if (debug === true && role !== "admin") {
          return yield* new PermissionDenied({ required_role: "admin", have_role: role })
        }
        const metrics = yield* metricsOf(device)
        return {
          ...viewFor(hostOf(client.id))(device),
          ...(metrics === undefined ? {} : { metrics }),
          capabilities: { formats: formatsOf(device), resolutions: resolutionsOf(device) },
          ...(debug === true ? { debug: { internal_device_path: device.input.address } } : {})
        }
      }),

      get_camera_capabilities: Effect.fnUntraced(function* ({ device: id }) {
        const device = yield* devices.get(yield* visible(id))
        const confirmed = device.formats.length > 0 ? ("CONFIRMED" as const) : ("NONE" as const)
        return {
          device: id,
          formats: formatsOf(device),
          resolutions: resolutionsOf(device),
          fps_options: ratesOf(device),
          ...currentOf(yield* controls.mode(id)),
          ptz: ptz.has(id),
          validation_status: device.status === "DISCONNECTED" ? ("DISCONNECTED" as const) : confirmed
        }
      })
    })
  })
)
