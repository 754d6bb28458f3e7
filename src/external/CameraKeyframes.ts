import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { monotonicNow } from "../ground/Time.ts"
import { RtspFailed } from "../rtsp/RtspFailed.ts"
import { OnvifClient } from "./onvif/OnvifClient.ts"
import type { OnvifFailed } from "./onvif/OnvifTarget.ts"
import { type AddressRefused, Reach } from "./Reach.ts"
import { makeRecentOf } from "./Recent.ts"
import { onvifTarget, type Pins } from "./StreamTargets.ts"
import type { StreamUrl } from "./StreamUrl.ts"

/** The keyframes that ONVIF cameras send when they are asked for one. */
export class CameraKeyframes extends Context.Service<
  CameraKeyframes,
  {
    /** has the camera send a keyframe of its stream soon; returns when it has said that it does */
    readonly ask: (url: StreamUrl, pins: Pins) => Effect.Effect<void, RtspFailed | AddressRefused>
  }
>()("camera-service/external/CameraKeyframes") {
  static readonly layer = Layer.effect(
    CameraKeyframes,
    Effect.gen(function* () {
      const onvif = yield* OnvifClient
      const reach = yield* Reach
      /** how a camera is asked; when it is learnt again, its address is looked at anew, too */
      const requests = makeRecentOf<StreamUrl, Effect.Effect<void, OnvifFailed>>(yield* monotonicNow)

      const requestOf = Effect.fnUntraced(function* (url: StreamUrl, { deviceFingerprint }: Pins) {
        const known = requests.get(url)
        if (known !== undefined) return known
        const request = yield* onvif.openKeyframes(onvifTarget(url, yield* reach.target(url, deviceFingerprint)))
        requests.set(url, request)
        return request
      })

      const ask = Effect.fn("CameraKeyframes.ask")(function* (url: StreamUrl, pins: Pins) {
        const asked = Effect.flatten(requestOf(url, pins))
        yield* asked.pipe(
          Effect.tapError(() => Effect.sync(() => requests.forget(url))),
          Effect.catchTag("OnvifFailed", ({ detail, kind }) => Effect.fail(new RtspFailed({ kind, detail })))
        )
      })

      return CameraKeyframes.of({ ask })
    })
  )
}
