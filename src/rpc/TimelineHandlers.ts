import * as Effect from "effect/Effect"
import { CurrentSession } from "../../schema/Auth.ts"
import type { CameraId } from "../../schema/Camera.ts"
import { TimelineRpcs } from "../../schema/CameraRpcs.ts"
import { NotFound } from "../../schema/Errors.ts"
import { defaultParts, defaultRecordedFiles } from "../../schema/Timeline.ts"
import { inCameraOrder } from "../device/Devices.ts"
import { isoTime, toSeconds } from "../ground/Time.ts"
import { FileIndex } from "../storage/FileIndex.ts"
import { periodOf } from "../storage/Period.ts"
import { RecordingParts } from "../storage/RecordingParts.ts"
import { type Span, Timeline } from "../storage/Timeline.ts"
import { tolerance } from "../storage/TimelineDatabase.ts"
import { maySee, visibleFile } from "./Authorization.ts"
import { makeFileUrls } from "./FileUrls.ts"

/** What nobody sees the difference of on a screen. */
const usualSpans = 1000
const mostSpans = 5000

const spanView = ({ end, isRecording, reason, start }: Span) => ({
  start: isoTime(start),
  end: isoTime(end),
  ...(isRecording ? { recording: true as const } : {}),
  ...(reason === undefined ? {} : { reason })
})

export const layer = TimelineRpcs.toLayer(
  Effect.gen(function* () {
    const index = yield* FileIndex
    const timeline = yield* Timeline
    const parts = yield* RecordingParts
    const urlsFor = yield* makeFileUrls

    /** the cameras that there are recordings of, in their order, as far as the user may see them */
    const camerasOf = Effect.fnUntraced(function* (device: CameraId | undefined) {
      const session = yield* CurrentSession
      if (device !== undefined) {
        return maySee(session, device) ? [device] : yield* new NotFound({ resource: "camera", id: device })
      }
      const stored = yield* index.stored
      const cameras = stored.flatMap((one) =>
        one.kind === "recording" && maySee(session, one.device) ? [one.device] : []
      )
      return cameras.sort(inCameraOrder)
    })

    return TimelineRpcs.of({
      get_recorded_spans: Effect.fnUntraced(function* ({ device, resolution_seconds, ...asked }) {
        const period = yield* periodOf(asked)
        const length = period.to - period.from
        const wanted = resolution_seconds === undefined ? length / usualSpans : resolution_seconds * 1000
        const resolution = Math.max(wanted, length / mostSpans, tolerance)
        const cameras = yield* Effect.forEach(yield* camerasOf(device), (camera) =>
          Effect.map(timeline.spans(camera, period, resolution), (spans) => ({
            device: camera,
            spans: spans.map(spanView)
          }))
        )
        return {
          from: isoTime(period.from),
          to: isoTime(period.to),
          resolution_seconds: toSeconds(resolution),
          cameras
        }
      }),

      get_recorded_files: Effect.fnUntraced(function* ({ device, limit = defaultRecordedFiles, ...asked }, { client }) {
        const period = yield* periodOf(asked)
        yield* camerasOf(device)
        const found = yield* timeline.files(device, period, limit)
        const urls = yield* urlsFor(client.id, yield* CurrentSession)
        const files = found.map(({ bytes, end, filename, isWritten, start }) =>
          Object.assign(
            {
              filename,
              start: isoTime(start),
              end: isoTime(end),
              file_size: bytes,
              download_url: urls.of({ kind: "recording", filename, device })
            },
            isWritten ? { recording: true as const } : {}
          )
        )
        return { device, files }
      }),

      get_recording_parts: Effect.fnUntraced(function* ({ filename, limit = defaultParts, offset = 0 }, { client }) {
        const file = yield* visibleFile(index, "recording", filename)
        const found = yield* parts.of(filename)
        const urls = yield* urlsFor(client.id, yield* CurrentSession)
        return {
          filename,
          mime_type: `video/mp4; codecs="${found.codec}"`,
          init_bytes: found.initBytes,
          start: isoTime(file.created),
          parts: found.parts.slice(offset, offset + limit),
          total: found.parts.length,
          download_url: urls.of(file)
        }
      }),

      export_recording: Effect.fnUntraced(function* ({ device, ...asked }, { client }) {
        const period = yield* periodOf(asked)
        yield* camerasOf(device)
        const spans = yield* timeline.spans(device, period, 0)
        if (spans.length === 0) {
          const reason = "nothing was recorded in that time"
          return yield* new NotFound({ resource: "recording", id: device, reason })
        }
        const urls = yield* urlsFor(client.id, yield* CurrentSession)
        return {
          device,
          from: isoTime(period.from),
          to: isoTime(period.to),
          duration: toSeconds(spans.reduce((all, { end, start }) => all + end - start, 0)),
          download_url: urls.ofExport(device, period),
          expires_at: isoTime(urls.expiresAt)
        }
      })
    })
  })
)
