import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import { RecordingRpcs } from "../../schema/CameraRpcs.ts"
import { Devices } from "../device/Devices.ts"
import { isoTime, toSeconds } from "../ground/Time.ts"
import { Recordings } from "../recording/Recordings.ts"
import { visible } from "./Authorization.ts"

export const layer = RecordingRpcs.toLayer(
  Effect.gen(function* () {
    const devices = yield* Devices
    const recordings = yield* Recordings
    return RecordingRpcs.of({
      start_recording: Effect.fnUntraced(function* ({ device, duration, format }) {
        const recording = yield* recordings.start({
          camera: yield* visible(device),
          ...(duration === undefined ? {} : { duration: Duration.seconds(duration) }),
          ...(format === undefined ? {} : { format })
        })
        return {
          device,
          filename: recording.segments()[0]?.filename ?? "",
          status: "RECORDING" as const,
          start_time: isoTime(recording.startedAt),
          format: recording.format,
          ...(recording.reason === undefined ? {} : { reason: recording.reason })
        }
      }),

      stop_recording: Effect.fnUntraced(function* ({ device }) {
        const { id } = yield* devices.get(yield* visible(device))
        const { bytes, endedAt, files, reason, recording, seconds } = yield* recordings.stop(id)
        const names = files.map(({ filename }) => filename)
        return {
          device,
          filename: names[0] ?? "",
          format: recording.format,
          start_time: isoTime(recording.startedAt),
          end_time: isoTime(endedAt),
          duration: toSeconds(seconds * 1000),
          file_size: bytes,
          files: names,
          status: "STOPPED" as const,
          ...(reason === undefined ? {} : { reason })
        }
      })
    })
  })
)
