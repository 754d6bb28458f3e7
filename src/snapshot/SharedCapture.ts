import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type { CameraId } from "../../schema/Camera.ts"
import type { Picture } from "../stream/Pictures.ts"
import type { Capture, NoPicture } from "./Capture.ts"

/**
 * Captures of one camera at once are one: whoever comes meanwhile waits for the same picture. `read` hands it on as soon as
 * it is there, and may have more to do after it. It is nobody's own: who gives up, or has no time to see its end, takes the
 * picture from nobody else.
 */
export const makeSharedCapture = Effect.fnUntraced(function* (
  read: (camera: CameraId, found: (picture: Picture) => void) => Effect.Effect<void, NoPicture>
) {
  const layerScope = yield* Effect.scope
  const running = new Map<CameraId, Deferred.Deferred<Picture, NoPicture>>()

  const share = (camera: CameraId) =>
    Effect.suspend(() => {
      const shared = running.get(camera)
      if (shared !== undefined) return Deferred.await(shared)
      const mine = Deferred.makeUnsafe<Picture, NoPicture>()
      running.set(camera, mine)
      const done = (result: Exit.Exit<Picture, NoPicture>): void => {
        if (running.get(camera) === mine) running.delete(camera)
        Deferred.doneUnsafe(mine, result)
      }
      const reading = read(camera, (picture) => done(Exit.succeed(picture))).pipe(
        Effect.onError((cause) => Effect.sync(() => done(Exit.failCause(cause))))
      )
      return Effect.andThen(Effect.forkIn(reading, layerScope), Deferred.await(mine))
    })

  const capture: Capture["capture"] = ({ camera, notBefore }) =>
    share(camera).pipe(
      // a capture that was under way may show a moment before the call: then once more, for this call
      Effect.repeat({ until: (picture) => picture.captured.monotonic >= notBefore })
    )
  return capture
})
