import * as Schema from "effect/Schema"
import { CameraId } from "./Camera.ts"

/** Cameras that can be moved: pan, tilt, zoom. */

const velocity = (description: string) =>
  Schema.optionalKey(
    Schema.Finite.check(Schema.isBetween({ minimum: -1, maximum: 1 }, { expected: "a number from -1 to 1" }))
  ).annotateKey({ description: `${description}; default 0` })

export const MoveCamera = {
  device: CameraId,
  pan: velocity("1: to the right as fast as it can; -1: to the left"),
  tilt: velocity("1: up; -1: down"),
  zoom: velocity("1: in; -1: out"),
  timeout_ms: Schema.optionalKey(
    Schema.Int.check(
      Schema.isBetween({ minimum: 100, maximum: 10_000 }, { expected: "whole milliseconds from 100 to 10000" })
    )
  ).annotateKey({ description: "it stops so long after its last ptz_move, if nobody stopped it before; default 1000" })
}

export const CameraMoving = Schema.Struct({
  device: CameraId,
  status: Schema.Literal("MOVING"),
  pan: Schema.Finite,
  tilt: Schema.Finite,
  zoom: Schema.Finite,
  timeout_ms: Schema.Int
})
export type CameraMoving = typeof CameraMoving.Type

export const CameraStopped = Schema.Struct({ device: CameraId, status: Schema.Literal("STOPPED") })
export type CameraStopped = typeof CameraStopped.Type

const PresetId = Schema.String.check(
  Schema.isPattern(/^[^\p{Cc}\p{Cf}]{1,64}$/u, { expected: "1 to 64 characters, as ptz_presets tells it" })
).annotate({ description: "the camera's own word for it" })

export const Preset = Schema.Struct({ id: Schema.String, name: Schema.String }).annotate({ identifier: "Preset" })

export const PresetList = Schema.Struct({ device: CameraId, presets: Schema.Array(Preset) })
export type PresetList = typeof PresetList.Type

export const GoToPreset = { device: CameraId, preset: PresetId }

export const CameraGoing = Schema.Struct({
  device: CameraId,
  status: Schema.Literal("MOVING").annotate({ description: "it stops by itself once it is there" }),
  preset: Schema.String
})
export type CameraGoing = typeof CameraGoing.Type
