import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Ref from "effect/Ref"
import type * as Schema from "effect/Schema"
import { CurrentSession } from "../../schema/Auth.ts"
import { SystemRpcs } from "../../schema/CameraRpcs.ts"
import { defaultListLimit } from "../../schema/Storage.ts"
import type { SystemStatus } from "../../schema/System.ts"
import { keys } from "../config/Keys.ts"
import { Settings } from "../config/Settings.ts"
import { buildDate, version } from "../config/Version.ts"
import { Devices } from "../device/Devices.ts"
import { Machine } from "../ground/Machine.ts"
import { isoTime, millisSince, toSeconds } from "../ground/Time.ts"
import { Health } from "../health/Health.ts"
import { Paths } from "../stream/Paths.ts"
import { knowsAll, maySee } from "./Authorization.ts"
import { clientView } from "./ClientsView.ts"
import { Connections } from "./Connections.ts"
import { makeMetricsView } from "./MetricsView.ts"

/** More cameras than this were never tried; it is no limit that is enforced. */
const maxCameras = 256

const info = {
  name: "camera-service",
  version,
  build_date: buildDate,
  supported_formats: ["fmp4", "mpegts", "stanag4609", "mp4", "mkv", "jpg", "png"],
  max_cameras: maxCameras
}

const capabilities = ["controls", "snapshots", "recordings", "streaming", "rtsp", "hls", "webrtc"]

const messages: Readonly<Record<SystemStatus["status"], string>> = {
  starting: "MediaMTX is starting, or cameras are being looked for",
  partial: "some cameras are not connected, or cannot be watched yet",
  ready: "all cameras are ready"
}

export const layer = SystemRpcs.toLayer(
  Effect.gen(function* () {
    const devices = yield* Devices
    const health = yield* Health
    const paths = yield* Paths
    const settings = yield* Settings
    const { external } = settings.boot
    const { all: connections } = yield* Connections
    const { architecture, runtime } = (yield* Machine).own
    const metricsOf = yield* makeMetricsView
    return SystemRpcs.of({
      get_server_info: () =>
        Effect.map(Clock.currentTimeMillis, (now) => ({
          ...info,
          runtime_version: runtime,
          go_version: runtime,
          architecture,
          capabilities: external.enabled ? [...capabilities, "external_streams", "telemetry"] : capabilities,
          server_time: isoTime(now)
        })),

      get_status: Effect.fnUntraced(function* () {
        const { components, reasons, status } = health.now()
        const { cameras } = yield* CurrentSession
        return {
          status,
          uptime: toSeconds(yield* millisSince(health.startedAt)),
          version,
          components,
          ...(cameras === undefined ? { reasons } : {})
        }
      }),

      get_metrics: () => Effect.flatMap(CurrentSession, metricsOf),

      get_clients: ({ limit = defaultListLimit, offset = 0 }) =>
        Effect.map(knowsAll, () => {
          // they are numbered as they come
          const all = [...connections.values()].toReversed()
          return { clients: all.slice(offset, offset + limit).map(clientView), total: all.length, limit, offset }
        }),

      get_configuration: () =>
        Effect.map(Effect.andThen(knowsAll, Ref.get(settings.report)), (report) => ({
          settings: report.map(({ changes, key, source, value }) => {
            const { environment = "", meaning = "", rule = "" } = keys.find((one) => one.key === key) ?? {}
            return { key, value: value as Schema.Json, source, environment, changes, rule, meaning }
          })
        })),

      // read when it is first asked for, and encoded once: it is the same object from then on
      "rpc.discover": () =>
        Effect.promise(
          async () => (await import("../../schema/generated/openrpc.json", { with: { type: "json" } })).default
        ),

      get_system_status: () =>
        Effect.map(CurrentSession, (session) => {
          const shown = devices.list().filter(({ id }) => maySee(session, id))
          const available = shown.filter(({ id, status }) => status === "CONNECTED" && paths.exists(id))
          const { camera_monitor, mediamtx } = health.components()
          const reached = available.length === shown.length ? ("ready" as const) : ("partial" as const)
          const status = mediamtx === "RUNNING" && camera_monitor === "RUNNING" ? reached : ("starting" as const)
          return {
            status,
            message: messages[status],
            available_cameras: available.map(({ id }) => id),
            discovery_active: camera_monitor === "STARTING"
          }
        })
    })
  })
)
