import type { CameraId } from "../../schema/Camera.ts"
import type { Device } from "./Device.ts"

/**
 * What happens to a camera. Connected: it was plugged in, and works as far as is known. Faulty: something is wrong with
 * it (`device.fault`), from now on or since it was plugged in. Changed: more is known of it, or something that follows
 * from it is another now. Forgotten: it is on no list any more.
 */
export interface CameraFact {
  readonly _tag:
    | "CameraConnected"
    | "CameraDisconnected"
    | "CameraFaulty"
    | "CameraRecovered"
    | "CameraChanged"
    | "CameraForgotten"
  readonly camera: CameraId
  /** as it is from then on; of a forgotten one: as it was */
  readonly device: Device
  /** of one that was just plugged in: the kernel's word of it, in monotonic milliseconds */
  readonly pluggedAt?: number
}
