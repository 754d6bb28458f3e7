import * as Effect from "effect/Effect"
import type { OnvifCall } from "./OnvifCalls.ts"
import type { OnvifFailed } from "./OnvifTarget.ts"
import { continuousMove, getPresets, gotoPreset, type Preset, stop, type Velocity } from "./PtzCalls.ts"

/** What moves a camera, once it is known how. */
export interface PtzSession {
  /** a second or two after so many milliseconds the camera stops by itself, where it can: should we not be there to stop it */
  readonly move: (velocity: Velocity, millis: number) => Effect.Effect<void, OnvifFailed>
  readonly stop: Effect.Effect<void, OnvifFailed>
  readonly presets: Effect.Effect<ReadonlyArray<Preset>, OnvifFailed>
  readonly goTo: (preset: string) => Effect.Effect<void, OnvifFailed>
}

/** With this profile of the camera. */
export const ptzSession = (
  profile: string,
  ask: <A>(call: OnvifCall<A>) => Effect.Effect<A, OnvifFailed>
): PtzSession => {
  let stopsByItself = true
  const move = (velocity: Velocity, seconds?: number) => ask(continuousMove(profile, velocity, seconds))
  return {
    move: (velocity, millis) =>
      Effect.asVoid(
        stopsByItself
          ? Effect.catchIf(
              move(velocity, Math.ceil(millis / 1000) + 1),
              // some refuse a time (ter:TimeoutNotSupported), and tell that in words of their own
              ({ kind }) => kind === "PROTOCOL",
              () => Effect.tap(move(velocity), () => Effect.sync(() => (stopsByItself = false)))
            )
          : move(velocity)
      ),
    stop: Effect.asVoid(ask(stop(profile))),
    presets: ask(getPresets(profile)),
    goTo: (preset) => Effect.asVoid(ask(gotoPreset(profile, preset)))
  }
}
