import * as Effect from "effect/Effect"
import type { Session } from "../../schema/Auth.ts"
import type { ServiceMetrics } from "../../schema/System.ts"
import { Devices } from "../device/Devices.ts"
import { moments } from "../ground/Time.ts"
import { Health } from "../health/Health.ts"
import { Usage } from "../self/Usage.ts"
import { Space } from "../storage/Space.ts"
import { Status } from "../stream/Status.ts"
import { LiveFibers } from "../telemetry/Metrics.ts"
import { maySee } from "./Authorization.ts"
import { isoTime } from "./Wire.ts"

/** Makes what `get_metrics` tells, of the cameras that this user may see; fails where MediaMTX does not say who views. */
export const makeMetricsView = Effect.gen(function* () {
  const devices = yield* Devices
  const health = yield* Health
  const status = yield* Status
  const space = yield* Space
  const usage = yield* Usage
  const live = yield* LiveFibers
  const now = yield* moments

  /** As df(1) tells it: of what is not the system's own. */
  const diskUsage = (): number => {
    const { available, used } = space.now() ?? { available: 0, used: 0 }
    return used + available > 0 ? Math.round((used / (used + available)) * 10_000) / 100 : 0
  }

  return Effect.fnUntraced(function* (session: Session) {
    const shown = devices.list().filter(({ id }) => maySee(session, id))
    const streams = yield* status.ofAll(shown.map(({ id }) => id))
    const recordings = health
      .now()
      .parts.flatMap(({ device, part, since, state }) =>
        part === "recording" && device !== undefined && maySee(session, device) ? [{ device, since, state }] : []
      )
    const system = {
      cpu_usage: usage.processor(),
      memory_usage: usage.memory(),
      disk_usage: diskUsage(),
      goroutines: live.count
    }
    return {
      timestamp: isoTime(now().wall),
      ...system,
      system_metrics: system,
      camera_metrics: {
        connected_cameras: shown.filter((device) => device.status === "CONNECTED").length,
        cameras: Object.fromEntries(
          shown.map(({ fault, id, status: condition }, i) => {
            const { path, run, state = "INACTIVE", stream } = streams[i] ?? {}
            return [
              id,
              {
                status: condition,
                ...(fault === undefined ? {} : { fault: fault.kind }),
                stream: state,
                fps: run?.published.fps ?? 0,
                frames_sent: run?.published.frames ?? 0,
                restarts: stream?.restarts ?? 0,
                viewers: path?.readers ?? 0
              }
            ]
          })
        )
      },
      recording_metrics: {
        active_recordings: recordings.length,
        recordings: Object.fromEntries(
          recordings.map(({ device, since, state }) => [device, { state, since: isoTime(since.wall) }])
        )
      },
      stream_metrics: {
        active_streams: streams.filter(({ state }) => state === "ACTIVE").length,
        total_streams: shown.length,
        total_viewers: streams.reduce((sum, { path }) => sum + (path?.readers ?? 0), 0)
      }
    } satisfies ServiceMetrics as ServiceMetrics
  })
})
