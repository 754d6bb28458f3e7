import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Schedule from "effect/Schedule"
import type { CameraId } from "../../schema/Camera.ts"
import type { WrittenFormat } from "../stream/CameraPath.ts"
import type { PathRecorders } from "../stream/PathRecorders.ts"
import { makeTrouble } from "../telemetry/Trouble.ts"
import type { Incident } from "./RecordingState.ts"
import { refusalOf } from "./Stall.ts"

const again = Duration.millis(250)
const onAgain = Duration.seconds(1)

/** Has MediaMTX write no more of this camera; for so long it is tried. Gives what is wrong where it may write on. */
const switchOff = (recorders: PathRecorders["Service"], camera: CameraId, seconds: number) => {
  let said = "it did not answer"
  return recorders.record(camera, undefined).pipe(
    Effect.tapError(({ detail }) =>
      Effect.sync(() => {
        said = detail
      })
    ),
    Effect.retry(Schedule.spaced(again)),
    Effect.timeout(Duration.seconds(seconds)),
    Effect.as(undefined),
    Effect.catch((error) =>
      Effect.as(
        Effect.logError("MediaMTX could not be told to stop recording: it may write on", error, said),
        `MediaMTX may write on for a while: ${said}`
      )
    )
  )
}

/** Has MediaMTX write again, as soon as it can be told to. */
export const switchOnAgain = (
  recorders: Pick<PathRecorders["Service"], "record">,
  camera: CameraId,
  format: WrittenFormat
) => {
  const trouble = makeTrouble()
  return recorders.record(camera, format).pipe(
    Effect.tapError(({ detail }) =>
      trouble.began("MediaMTX could not be told to record again: it is told until it does", detail)
    ),
    Effect.retry(Schedule.spaced(onAgain)),
    Effect.andThen(trouble.isOver("MediaMTX was told to record again")),
    Effect.ignore
  )
}

/** MediaMTX's recorder of one camera, as one recording turns it. */
export const makeRecorderSwitch = (
  recorders: PathRecorders["Service"],
  {
    camera,
    format,
    happened,
    lookForLast
  }: {
    readonly camera: CameraId
    readonly format: WrittenFormat
    readonly happened: (incident: Incident) => void
    /** looks for files that it has begun and that are not known yet */
    readonly lookForLast: Effect.Effect<void>
  }
) => {
  let areFilesKnown = false
  /** Gives what went wrong; nothing is written when it returns, and what was is known. */
  const off = Effect.fnUntraced(function* (seconds: number) {
    areFilesKnown = false
    const flaw = yield* switchOff(recorders, camera, seconds)
    yield* lookForLast
    areFilesKnown = true
    return flaw
  })
  return {
    /** hears of what MediaMTX cannot write, for as long as the scope lives */
    watch: recorders.facts.follow(({ code, file, path }) =>
      Effect.sync(() => {
        if (path === camera) happened({ _tag: "WriterFailed", written: file, ...refusalOf({ code }) })
      })
    ),
    on: recorders
      .record(camera, format)
      .pipe(Effect.catch((error) => Effect.sync(() => happened({ _tag: "RecorderRefused", error })))),
    off: (seconds: number) => Effect.map(off(seconds), (flaw) => happened({ _tag: "RecorderOff", flaw })),
    pause: (seconds: number) => Effect.map(off(seconds), (flaw) => happened({ _tag: "RecorderPaused", flaw })),
    resume: Effect.suspend(() => switchOnAgain(recorders, camera, format)),
    /** it is off, and each of its files has been told of */
    areFilesKnown: () => areFilesKnown
  }
}
