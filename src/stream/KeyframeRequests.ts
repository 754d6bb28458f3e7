import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type { CameraId } from "../../schema/Camera.ts"
import { Devices } from "../device/Devices.ts"
import { RtspFailed } from "../rtsp/RtspFailed.ts"
import { makeTrouble, type Trouble } from "../telemetry/Trouble.ts"

/** A camera that takes longer sends its own next one by then, mostly. */
const patience = Duration.seconds(2)
/** A keyframe is ten times as large as another picture: a camera is asked for one a second, whoever comes. */
const pause = Duration.seconds(1)
/** One that gave none is not asked again for so long. */
const rest = Duration.minutes(1)

interface Asking {
  /** somebody came after it was asked: that keyframe may be gone before they read */
  isWanted: boolean
}

/**
 * Who begins in the midst of a stream waits for its next keyframe, and cameras that save bits have them 4 s apart or more: those
 * that can be asked for one (ONVIF) are. RTSP has no way to ask that cameras know: RTCP's (RFC 4585, 5104) need a profile
 * (RTP/AVPF) that they do not offer.
 */
export class KeyframeRequests extends Context.Service<
  KeyframeRequests,
  {
    /** has the camera send a keyframe soon, where it can; returns at once, whatever comes of it */
    readonly ask: (camera: CameraId) => Effect.Effect<void>
  }
>()("camera-service/stream/KeyframeRequests") {
  static readonly layer = Layer.effect(
    KeyframeRequests,
    Effect.gen(function* () {
      const devices = yield* Devices
      const scope = yield* Effect.scope
      /** of cameras that are asked, or were a moment ago */
      const asking = new Map<CameraId, Asking>()
      const troubles = new Map<CameraId, Trouble>()
      yield* devices.followForgotten((camera) => troubles.delete(camera))

      const troubleOf = (camera: CameraId): Trouble => {
        const trouble = troubles.get(camera) ?? makeTrouble()
        troubles.set(camera, trouble)
        return trouble
      }

      /** Gives how long it is left alone. */
      const askOnce = Effect.fn("KeyframeRequests.ask")(function* (
        camera: CameraId,
        keyframe: Effect.Effect<void, RtspFailed>
      ) {
        yield* Effect.annotateCurrentSpan("camera.id", camera)
        const trouble = troubleOf(camera)
        return yield* keyframe.pipe(
          Effect.timeoutOrElse({ duration: patience, orElse: () => Effect.fail(silent) }),
          Effect.andThen(trouble.isOver("the camera sends keyframes when it is asked for them")),
          Effect.as(pause),
          Effect.catch(({ detail }) =>
            Effect.as(
              trouble.began("the camera sends no keyframe when it is asked: its own next one is waited for", detail),
              rest
            )
          )
        )
      })

      const ask: KeyframeRequests["Service"]["ask"] = (camera) =>
        Effect.suspend(() => {
          const { keyframe, sends } = devices.find(camera)?.input ?? {}
          // each picture of JPEG is one
          if (keyframe === undefined || sends?.codec === "jpeg") return Effect.void
          const present = asking.get(camera)
          if (present !== undefined) {
            present.isWanted = true
            return Effect.void
          }
          const mine: Asking = { isWanted: false }
          asking.set(camera, mine)
          const asked = Effect.gen(function* () {
            mine.isWanted = false
            const leave = yield* askOnce(camera, keyframe)
            yield* Effect.sleep(leave)
            // who came a minute ago has the camera's own by now
            if (leave === rest) mine.isWanted = false
          })
          return asked.pipe(
            Effect.repeat({ while: () => mine.isWanted }),
            Effect.ensuring(Effect.sync(() => asking.delete(camera))),
            Effect.annotateLogs({ "camera.id": camera }),
            Effect.forkIn(scope),
            Effect.asVoid
          )
        })

      return KeyframeRequests.of({ ask })
    })
  )
}

const silent = new RtspFailed({ kind: "STALLED", detail: `no answer within ${Duration.toSeconds(patience)} s` })
