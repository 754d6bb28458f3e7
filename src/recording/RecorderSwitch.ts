import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Schedule from "effect/Schedule"
import type { CameraId } from "../../schema/Camera.ts"
import type { WrittenFormat } from "../stream/CameraPath.ts"
import type { Paths } from "../stream/Paths.ts"
import { makeTrouble } from "../telemetry/Trouble.ts"

type Recorders = Pick<Paths["Service"], "record">

const again = Duration.millis(250)
const onAgain = Duration.seconds(1)

/** Has MediaMTX write no more of this camera; for so long it is tried. Gives what is wrong where it may write on. */
export const switchOff = (paths: Recorders, camera: CameraId, seconds: number) => {
  let said = "it did not answer"
  return paths.record(camera, undefined).pipe(
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
export const switchOnAgain = (paths: Recorders, camera: CameraId, format: WrittenFormat) => {
  const trouble = makeTrouble()
  return paths.record(camera, format).pipe(
    Effect.tapError(({ detail }) =>
      trouble.began("MediaMTX could not be told to record again: it is told until it does", detail)
    ),
    Effect.retry(Schedule.spaced(onAgain)),
    Effect.andThen(trouble.isOver("MediaMTX was told to record again")),
    Effect.ignore
  )
}
