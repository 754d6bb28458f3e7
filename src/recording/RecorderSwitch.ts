import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Schedule from "effect/Schedule"
import type { CameraId } from "../../schema/Camera.ts"
import type { WrittenFormat } from "../stream/CameraPath.ts"
import type { Paths } from "../stream/Paths.ts"

const again = Duration.millis(250)
const onAgain = Duration.seconds(1)

/** Has MediaMTX write no more of this camera; for so long it is tried. Gives what is wrong where it may write on. */
export const switchOff = (paths: Paths["Service"], camera: CameraId, seconds: number) => {
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
export const switchOnAgain = (paths: Paths["Service"], camera: CameraId, format: WrittenFormat) =>
  Effect.ignore(Effect.retry(paths.record(camera, format), Schedule.spaced(onAgain)))
