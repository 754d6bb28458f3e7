import type { Device } from "./Device.ts"

/** What happened to a camera, with the camera as it is from then on. */
export type CameraFact =
  /** it was plugged in, and works as far as is known */
  | { readonly _tag: "Connected"; readonly device: Device }
  | { readonly _tag: "Disconnected"; readonly device: Device }
  /** something is wrong with it (`device.fault`): from now on, or since it was plugged in */
  | { readonly _tag: "Faulty"; readonly device: Device }
  | { readonly _tag: "Recovered"; readonly device: Device }
  /** more is known of it, or something that follows from it is another now */
  | { readonly _tag: "Changed"; readonly device: Device }
  /** it is on no list any more; the camera as it was */
  | { readonly _tag: "Forgotten"; readonly device: Device }
