import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Schedule from "effect/Schedule"
import type { CameraId } from "../../schema/Camera.ts"
import type { Paths } from "../stream/Paths.ts"

const again = Duration.millis(250)

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
