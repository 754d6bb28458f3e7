import type { CameraId, CameraStatus } from "../../schema/Camera.ts"
import type { Fault } from "./Fault.ts"
import type { Input, ReadInput, StreamedInput } from "./Input.ts"

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

/** What is set on a device now, by whoever set it last; `rate` in frames a second, where the driver tells it. */
export interface Mode {
  readonly pixelFormat: string
  readonly width: number
  readonly height: number
  readonly rate?: number
}

/** How a camera is known again, whatever its number today. */
export interface Identity {
  /** the same at any port, and the same for every camera whose maker gives all one serial: `usb:046d:0825:SERIAL:0` */
  readonly serial?: string
  /** where it is plugged in, and which model: `bus:usb-0000:00:14.0-2:046d:0825:0`, `synthetic:0` */
  readonly position: string
}

/** What a provider knows of a device that it found. */
export interface Found {
  readonly input: Input
  readonly identity: Identity
  /** what the device calls itself */
  readonly name: string
  /** none while the device cannot be asked */
  readonly formats: ReadonlyArray<Format>
  /** nobody has reached it yet: who asks it says when it is connected */
  readonly isUnreached?: true
}

export interface Device extends Found {
  readonly id: CameraId
  readonly status: CameraStatus
  /** why the status is ERROR, and only then */
  readonly fault?: Fault
}

/** One that FFmpeg reads. */
export interface ReadDevice extends Device {
  readonly input: ReadInput
}

/** One that streams by itself. */
export interface StreamedDevice extends Device {
  readonly input: StreamedInput
}
