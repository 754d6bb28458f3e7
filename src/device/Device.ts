import type { CameraId, CameraStatus } from "../../schema/Camera.ts"
import type { Fault } from "./Fault.ts"

/** One frame size that a device delivers in a pixel format, and its rates in frames a second. */
export interface FrameSize {
  readonly width: number
  readonly height: number
  readonly rates: ReadonlyArray<number>
}

/** `pixelFormat` is the kernel's four characters (videodev2.h): MJPG, YUYV, H264, … */
export interface Format {
  readonly pixelFormat: string
  readonly sizes: ReadonlyArray<FrameSize>
}

/** What a provider knows of a device that it found. */
export interface Found {
  readonly kind: "synthetic" | "v4l2"
  /** the same for the same physical camera, whatever its number today: `usb:046d:0825:SERIAL:0`, `synthetic:0` */
  readonly identity: string
  /** what the device calls itself */
  readonly name: string
  /** where FFmpeg reads it; never shown to clients */
  readonly node: string
  readonly formats: ReadonlyArray<Format>
}

export interface Device extends Found {
  readonly id: CameraId
  readonly status: CameraStatus
  /** why the status is ERROR, and only then */
  readonly fault?: Fault
}
