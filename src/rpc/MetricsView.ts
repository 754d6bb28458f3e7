import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type { Session } from "../../schema/Auth.ts"
import type { ServiceMetrics } from "../../schema/System.ts"
import type { Device } from "../device/Device.ts"
import { Devices } from "../device/Devices.ts"
import { isoTime, moments } from "../ground/Time.ts"
import { Health } from "../health/Health.ts"
import { MachineUsage } from "../self/MachineUsage.ts"
import { DiskGuard } from "../storage/DiskGuard.ts"
import { usedPercent } from "../storage/SpaceLevel.ts"
import { Status, type StreamStatus } from "../stream/Status.ts"
import { Streams } from "../stream/Streams.ts"
import { LiveFibers } from "../telemetry/Metrics.ts"
import { maySee } from "./Authorization.ts"

/** Makes what `get_metrics` tells of the machine, and of the cameras that this user may see. */
export const makeMetricsView = Effect.gen(function* () {
  const devices = yield* Devices
  const health = yield* Health
  const streams = yield* Streams
  const status = yield* Status
  const disk = yield* DiskGuard
  const usage = yield* MachineUsage
  const live = yield* LiveFibers
  const now = yield* moments

  const cameraOf = ({ fault, id, status: condition }: Device, state: StreamStatus["state"]) => {
    const stream = streams.current(id)
    return {
      status: condition,
      ...(fault === undefined ? {} : { fault: fault.kind }),
      stream: state,
      fps: stream?.run?.published.fps ?? 0,
      frames_sent: stream?.run?.published.frames ?? 0,
      restarts: stream?.restarts ?? 0
    }
  }

  const recordingsOf = (session: Session) =>
    health.now().parts.flatMap(({ device, part, since, state }) => {
      const isShown = part === "recording" && device !== undefined && maySee(session, device)
      return isShown ? [[device, { state, since: isoTime(since.wall) }] as const] : []
    })

  return Effect.fnUntraced(function* (session: Session) {
    const shown = devices.list().filter(({ id }) => maySee(session, id))
    // a MediaMTX that does not say who views keeps nobody from the rest
    const asked = yield* Effect.option(status.ofAll(shown.map(({ id }) => id)))
    const known = Option.map(asked, (all) => new Map(all.map((one) => [one.name, one])))
    const cameras = shown.map((device) => {
      const { id } = device
      const now = Option.flatMapNullishOr(known, (all) => all.get(id))
      const viewers = Option.map(now, ({ viewers }) => ({ viewers }))
      const state = Option.match(now, { onNone: () => status.stateOf(id).state, onSome: (one) => one.state })
      return [id, { ...cameraOf(device, state), ...Option.getOrElse(viewers, () => ({})) }] as const
    })
    const total = Option.map(asked, (all) => ({
      total_viewers: all.reduce((sum, { viewers }) => sum + viewers, 0)
    }))
    const recordings = recordingsOf(session)
    const system = {
      cpu_usage: usage.processor(),
      memory_usage: usage.memory(),
      disk_usage: usedPercent(disk.now() ?? { available: 0, used: 0 }),
      goroutines: live.count
    }
    return {
      timestamp: isoTime(now().wall),
      ...system,
      system_metrics: system,
      camera_metrics: {
        connected_cameras: shown.filter((device) => device.status === "CONNECTED").length,
        cameras: Object.fromEntries(cameras)
      },
      recording_metrics: { active_recordings: recordings.length, recordings: Object.fromEntries(recordings) },
      stream_metrics: {
        active_streams: cameras.filter(([, { stream }]) => stream === "ACTIVE").length,
        total_streams: shown.length,
        ...Option.getOrElse(total, () => ({}))
      }
    } satisfies ServiceMetrics as ServiceMetrics
  })
})
