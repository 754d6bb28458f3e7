import * as Effect from "effect/Effect"
import { CurrentSession } from "../../schema/Auth.ts"
import type { CameraId } from "../../schema/Camera.ts"
import { StorageRpcs } from "../../schema/CameraRpcs.ts"
import { InvalidParams } from "../../schema/Errors.ts"
import { Devices } from "../device/Devices.ts"
import { isoTime } from "../ground/Time.ts"
import { FileIndex } from "../storage/FileIndex.ts"
import type { FileKind } from "../storage/Names.ts"
import { Retention } from "../storage/Retention.ts"
import type { Cleaned } from "../storage/Cleanup.ts"
import { describePolicy, limitsView } from "../storage/RetentionRules.ts"
import { StorageUsage } from "../storage/StorageUsage.ts"
import { knowsAll, maySee, visible } from "./Authorization.ts"

export const layer = StorageRpcs.toLayer(
  Effect.gen(function* () {
    const usage = yield* StorageUsage
    const retention = yield* Retention
    const devices = yield* Devices
    const index = yield* FileIndex

    /** a camera that there is, or one that is forgotten and has left files */
    const known = (device: CameraId) =>
      devices
        .get(device)
        .pipe(
          Effect.catch((error) =>
            Effect.flatMap(index.stored, (stored) =>
              stored.some((one) => one.device === device) ? Effect.void : Effect.fail(error)
            )
          )
        )

    return StorageRpcs.of({
      get_storage_info: Effect.fnUntraced(function* () {
        const session = yield* CurrentSession
        const { bytesPerDay, fullAt, keptMillis, space, ...now } = yield* usage.now
        const disk = {
          total_space: space.total,
          used_space: space.used,
          available_space: space.available,
          usage_percentage: now.percent,
          low_space_warning: now.isLow
        }
        if (session.cameras !== undefined) {
          const seen = (yield* index.stored).filter(({ device }) => maySee(session, device))
          const sizeOf = (kind: FileKind) => seen.reduce((sum, one) => (one.kind === kind ? sum + one.bytes : sum), 0)
          // the rest is of all cameras
          return { ...disk, recordings_size: sizeOf("recording"), snapshots_size: sizeOf("snapshot") }
        }
        return {
          ...disk,
          recordings_size: now.recordings,
          snapshots_size: now.snapshots,
          ...(keptMillis === undefined ? {} : { days_kept: Math.round(keptMillis / 864_000) / 100 }),
          ...(bytesPerDay === 0 ? {} : { bytes_per_day: Math.round(bytesPerDay) }),
          ...(fullAt === undefined ? {} : { full_at: isoTime(fullAt) }),
          retention: now.retention,
          ...limitsView(now.limits)
        }
      }),

      set_retention_policy: Effect.fnUntraced(function* ({ device, ...policy }) {
        if (device !== undefined) yield* known(yield* visible(device))
        else if ((yield* CurrentSession).cameras !== undefined) return yield* notForAll()
        yield* retention.setPolicy(policy, device)
        return { ...policy, ...(device === undefined ? {} : { device }), message: describePolicy(policy, device) }
      }),

      cleanup_old_files: Effect.fnUntraced(function* () {
        yield* knowsAll
        const cleanup = yield* retention.cleanUp
        return {
          cleanup_executed: cleanup.isOn,
          files_deleted: cleanup.files,
          space_freed: cleanup.bytes,
          message: messageOf(cleanup)
        }
      })
    })
  })
)

/** A policy for all files deletes those of cameras that the user may not see. */
const notForAll = () =>
  new InvalidParams({
    param: "device",
    rule: "a camera that you may see",
    hint: "your token or key is for some cameras"
  })

const messageOf = ({ files, inUse, isOn, limits, reasons }: Cleaned): string => {
  if (!isOn) return "retention is switched off: a new rule switches it on"
  const why = [
    ...(reasons.age === 0 ? [] : [`${reasons.age} for their age`]),
    ...(reasons.size === 0 ? [] : [`${reasons.size} for their size`]),
    ...(reasons.room === 0 ? [] : [`${reasons.room} for room on the disk`])
  ]
  const done = files === 0 ? `nothing had to be deleted: ${limits}` : `deleted: ${why.join(", ")}`
  return inUse === 0 ? done : `${done}; ${inUse} in use stay`
}
