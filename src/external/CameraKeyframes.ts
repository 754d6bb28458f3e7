import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { monotonicNow } from "../ground/Time.ts"
import { RtspFailed } from "../rtsp/RtspFailed.ts"
import { OnvifClient } from "./onvif/OnvifClient.ts"
import type { OnvifFailed } from "./onvif/OnvifTarget.ts"
import { type AddressRefused, Reach } from "./Reach.ts"
import { onvifTarget, type Pins } from "./StreamTargets.ts"
import type { StreamUrl } from "./StreamUrl.ts"

/** Milliseconds for which what was learnt of how a camera is asked is used again; then its address is looked at anew, too. */
const usedAgainFor = 120_000

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
      const clock = yield* monotonicNow
      /** for as long as the stream is one: another password is another URL */
      const sessions = new WeakMap<
        StreamUrl,
        { readonly request: Effect.Effect<void, OnvifFailed>; readonly at: number }
      >()

      const requestOf = Effect.fnUntraced(function* (url: StreamUrl, { deviceFingerprint }: Pins) {
        const known = sessions.get(url)
        if (known !== undefined && clock() - known.at < usedAgainFor) return known.request
        const request = yield* onvif.openKeyframes(onvifTarget(url, yield* reach.target(url, deviceFingerprint)))
        sessions.set(url, { request, at: clock() })
        return request
      })

      const ask = Effect.fn("CameraKeyframes.ask")(function* (url: StreamUrl, pins: Pins) {
        const asked = Effect.flatten(requestOf(url, pins))
        yield* asked.pipe(
          Effect.tapError(() => Effect.sync(() => sessions.delete(url))),
          Effect.catchTag("OnvifFailed", ({ detail, kind }) => Effect.fail(new RtspFailed({ kind, detail })))
        )
      })

      return CameraKeyframes.of({ ask })
    })
  )
}
