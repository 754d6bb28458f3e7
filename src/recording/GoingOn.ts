import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Schedule from "effect/Schedule"
import * as Stream from "effect/Stream"
import { join } from "node:path"
import type { CameraId } from "../../schema/Camera.ts"
import { liveNow, Settings } from "../config/Settings.ts"
import { Devices } from "../device/Devices.ts"
import { Disk } from "../ground/Disk.ts"
import { Served } from "../self/Served.ts"
import { DataFolder } from "../storage/DataFolder.ts"
import { FileIndex } from "../storage/FileIndex.ts"
import { looseAnswer } from "../storage/SharedAnswer.ts"
import { Recordings } from "./Recordings.ts"
import { Unfinished, type UnfinishedRecording } from "./Unfinished.ts"

/** A camera that has come may go once more. */
const tryAgain = Duration.seconds(2)
/** A disk that is slow or hangs does not keep it from going on: what is missing is not told then. */
const lookTime = Duration.seconds(10)
const cut = "the service ended before the recording did"
/** Also where an unplugged camera is not waited for: a start has to find its cameras. */
const least = Duration.seconds(15)

/**
 * Recordings that a crash or a power cut ended go on (`recording.resume_after`): each when its camera is there, within the
 * time in which one that was unplugged has to be back; one that would have ended meanwhile does not. From then on it is as one
 * that runs: it waits for room, for MediaMTX, for a camera with a fault. How much is missing is told with its first file.
 */
export const layer = Layer.effectDiscard(
  Effect.gen(function* () {
    const settings = yield* Settings
    const devices = yield* Devices
    const index = yield* FileIndex
    const recordings = yield* Recordings
    const unfinished = yield* Unfinished
    const disk = yield* Disk
    const { recordings: recordingsFolder } = yield* DataFolder
    const { await: awaitServed } = yield* Served

    /** Whether it comes in time. */
    const awaitCamera = (camera: CameraId, within: Duration.Duration) =>
      devices.changes.pipe(
        Stream.filter(({ id, status }) => id === camera && status !== "DISCONNECTED"),
        Stream.runHead,
        Effect.timeoutOption(within),
        Effect.map(Option.isSome)
      )

    /** A file that was not closed ends with its last byte on the disk: the index may know no more of it than how it began. */
    const cutOffAt = Effect.fnUntraced(
      function* (camera: CameraId) {
        const last = yield* index.timeline((it) => it.lastBefore(camera, Number.MAX_SAFE_INTEGER))
        if (last === undefined || last.isKnown) return last?.end
        return (yield* looseAnswer(disk.state(join(recordingsFolder, last.filename)))).modified
      },
      Effect.timeout(lookTime),
      Effect.orElseSucceed(() => undefined)
    )

    const tryOnce = Effect.fnUntraced(function* ({ device, format, until }: UnfinishedRecording) {
      const bound = Duration.max(liveNow(settings).recording.resume_seconds, least)
      if (!(yield* awaitCamera(device, bound))) {
        const within = `within ${Duration.toSeconds(bound)} s`
        return yield* recordings.giveUp(device, `${cut}, and it could not go on ${within}`, "RecordingFailed")
      }
      // somebody stopped it meanwhile
      if (!(yield* unfinished.has(device))) return
      const at = yield* cutOffAt(device)
      const now = yield* Clock.currentTimeMillis
      // a clock that is behind makes it no longer than it had left when it was cut off, or was to be at all
      const left = until && Math.min(until.endsAt - Math.max(now, at ?? now), until.milliseconds)
      if (left !== undefined && left <= 0) {
        return yield* recordings.giveUp(device, `${cut}; its time was over before it could go on`, "RecordingEnded")
      }
      yield* recordings.start({
        camera: device,
        format,
        ...(until && { duration: Duration.millis(left ?? 0), endsAt: until.endsAt }),
        goesOnAfter: { reason: cut, at }
      })
    })

    const goOn = Effect.fn("GoingOn.goOn")(function* (recording: UnfinishedRecording) {
      const { device } = recording
      yield* Effect.annotateCurrentSpan("camera.id", device)
      yield* tryOnce(recording).pipe(
        // somebody has stopped it, or begun another one
        Effect.catchIf(
          (error) => error._tag === "InvalidState" && error.state !== "DISCONNECTED",
          () => Effect.void
        ),
        // its camera went again
        Effect.retry(Schedule.spaced(tryAgain))
      )
    })

    /** Those that were cut off; it may not be wished any more that they go on. */
    const cutOff = Effect.gen(function* () {
      const left = yield* unfinished.list
      if (left.length === 0 || liveNow(settings).recording.resume_after !== "nothing") return left
      const cameras = left.map(({ device }) => device)
      yield* Effect.logInfo("recordings that were cut off do not go on (recording.resume_after)", { cameras })
      yield* Effect.ignore(unfinished.clear)
      return []
    })

    yield* cutOff.pipe(
      // MediaMTX begins then, and with it the time that each has
      Effect.tap(awaitServed),
      Effect.flatMap((left) =>
        Effect.forEach(left, (one) => Effect.annotateLogs(goOn(one), { "camera.id": one.device }), {
          concurrency: "unbounded",
          discard: true
        })
      ),
      Effect.forkScoped
    )
  })
)
