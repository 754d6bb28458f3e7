import * as Effect from "effect/Effect"
import { CurrentSession } from "../../schema/Auth.ts"
import type { CameraId } from "../../schema/Camera.ts"
import { SnapshotRpcs } from "../../schema/CameraRpcs.ts"
import { isoTime } from "../ground/Time.ts"
import { Snapshots } from "../snapshot/Snapshots.ts"
import { filePath } from "../storage/Names.ts"
import { maySee, visible } from "./Authorization.ts"

/** How old a picture may be when the caller does not say, in milliseconds. */
const defaultMaxAge = 1000

export const layer = SnapshotRpcs.toLayer(
  Effect.gen(function* () {
    const snapshots = yield* Snapshots
    return SnapshotRpcs.of({
      take_snapshot: Effect.fnUntraced(function* ({ device, format, max_age_ms, overwrite, ...options }) {
        const camera = yield* visible(device)
        const session = yield* CurrentSession
        const snapshot = yield* snapshots.take({
          camera,
          ...options,
          ...(format === undefined ? {} : { format: format === "jpeg" ? "jpg" : format }),
          ...(overwrite === true ? { replaces: (owner: CameraId) => maySee(session, owner) } : {}),
          maxAge: max_age_ms ?? defaultMaxAge
        })
        const { keyframeInterval } = snapshot.picture
        return {
          device,
          filename: snapshot.filename,
          status: "SUCCESS" as const,
          timestamp: isoTime(snapshot.picture.captured.wall),
          age_ms: snapshot.ageMs,
          ...(keyframeInterval === undefined ? {} : { keyframe_interval_ms: keyframeInterval }),
          file_size: snapshot.bytes,
          file_path: filePath("snapshot", snapshot.filename),
          width: snapshot.picture.width,
          height: snapshot.picture.height,
          tier: snapshot.capture.tier,
          tier_name: snapshot.capture.name,
          capture_ms: snapshot.captureMs,
          tiers_tried: snapshot.tried
        }
      })
    })
  })
)
