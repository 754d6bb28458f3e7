import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Latch from "effect/Latch"
import * as Schema from "effect/Schema"
import * as Scope from "effect/Scope"
import { readFileSync } from "node:fs"
import { monotonicMillis } from "../../../src/ground/Time.ts"
import { type CameraDevice, makeCameraDevice } from "./CameraDevice.ts"
import type { CameraSpec } from "./CameraSpec.ts"
import { makeFrames } from "./Frames.ts"
import { connect } from "./UsbIp.ts"

/** It could not be plugged in: no such port, the port is taken, or its frames cannot be made. */
export class PlugFailed extends Schema.TaggedError<PlugFailed>()("PlugFailed", {
  port: Schema.Finite,
  cause: Schema.Defect()
}) {}

/** A USB camera of our own, which the kernel's uvcvideo takes for a real one. */
export interface PluggedCamera {
  /** Pulls the plug, and waits until the port is free; the end of the scope does it as well. */
  readonly unplug: Effect.Effect<void>
  /** The connection is lost without a word. */
  readonly yank: Effect.Effect<void>
  /** No frame comes any more; the device stays. */
  readonly freeze: Effect.Effect<void>
  readonly thaw: Effect.Effect<void>
  /** Frames are garbage from now on, or pictures again. */
  readonly breakFrames: (on: boolean) => Effect.Effect<void>
  /** Requests to its controls are not answered from now on; those that have waited are when this ends. */
  readonly hangControls: (on: boolean) => Effect.Effect<void>
  /** So long each of them takes. */
  readonly delayControls: (milliseconds: number) => Effect.Effect<void>
  /** Whether the kernel waits for its slow microphone, and has the device locked. */
  readonly isWaitedFor: () => boolean
  readonly answerMicrophone: Effect.Effect<void>
  /**
   * How many frames it has sent since it was plugged in, and the number that the next one shows: modulo 65,536 (H.264:
   * modulo its loop of 10 s). A stream in H.264 begins at the next multiple of its rate.
   */
  readonly framesSent: () => number
  /** Whether this file is one of them, byte for byte; H.264 aside. */
  readonly sentThis: (file: string) => boolean
  readonly isStreaming: () => boolean
}

/** Sends a frame whenever one is due. */
const pace = Effect.fnUntraced(function* (device: CameraDevice, started: Latch.Latch, isFrozen: () => boolean) {
  let due = 0
  while (true) {
    const rate = device.rate()
    if (rate === undefined) {
      started.closeUnsafe()
      yield* started.await
      continue
    }
    if (!isFrozen()) device.sendFrame()
    const now = yield* monotonicMillis
    const interval = 1000 / rate
    // what was missed is not made up for
    due = due + interval < now ? now + interval : due + interval
    yield* Effect.sleep(due - now)
  }
})

/**
 * Plugs a camera into a USB port, 0 to 119; the scope's end unplugs it. It lives in this process: nothing here may wait
 * for the kernel in a synchronous call while the kernel waits for the camera (opening its node, its controls, streaming).
 */
export const plug = Effect.fnUntraced(function* (spec: CameraSpec, port: number) {
  const failed = (cause: unknown) => new PlugFailed({ port, cause })
  const frames = yield* Effect.mapError(makeFrames(spec), failed)
  const scope = yield* Scope.fork(yield* Effect.scope)
  const started = yield* Latch.make()
  const { device, link } = yield* connect(port, (cable) =>
    makeCameraDevice(spec, frames, cable, () => started.openUnsafe())
  ).pipe(Scope.provide(scope), Effect.mapError(failed))
  let frozen = false
  const setFrozen = (on: boolean) =>
    Effect.sync(() => {
      frozen = on
    })
  yield* Effect.forkIn(
    pace(device, started, () => frozen),
    scope
  )
  const camera: PluggedCamera = {
    unplug: Scope.close(scope, Exit.void),
    yank: Effect.sync(link.cut),
    freeze: setFrozen(true),
    thaw: setFrozen(false),
    breakFrames: (on) => Effect.sync(() => device.breakFrames(on)),
    hangControls: (on) => Effect.sync(() => device.hangControls(on)),
    delayControls: (milliseconds) => Effect.sync(() => device.delayControls(milliseconds)),
    isWaitedFor: device.isWaitedFor,
    answerMicrophone: Effect.sync(device.answerMicrophone),
    framesSent: device.framesSent,
    sentThis: (file) => device.sentThis(readFileSync(file)),
    isStreaming: () => device.rate() !== undefined
  }
  return camera
})
