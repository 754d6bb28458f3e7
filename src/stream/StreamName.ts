import { type CameraId, isCameraId } from "../../schema/Camera.ts"
import type { Device } from "../device/Device.ts"
import type { ProfileName } from "../source/Profile.ts"
import { type BrowserProtocol, whyNotPlayed } from "../source/Transcode.ts"

/** The name of a stream, and of its path: a camera's own is the camera's, `camera3`; its transcode is `camera3_h264`. */
export type StreamName = string

export const transcodeOf = (camera: CameraId): StreamName => `${camera}_h264`

/** Whose stream it is. */
export const cameraOf = (name: StreamName): CameraId => name.replace(/_h264$/, "")

/** What a path is called that is a camera's. */
export const isStreamName = (name: string): boolean => isCameraId(cameraOf(name))

/**
 * The streams that a camera has. The transcode is there whatever the camera sends now: that may be known only when it is on,
 * be another tomorrow, or be H.264 of another profile than a client needs.
 */
export const streamsOf = ({ id, input }: Device): ReadonlyArray<StreamName> =>
  input.hasTranscode ? [id, transcodeOf(id)] : [id]

/** Why browsers do not play the camera's own stream over this, for people; undefined: they do, or nobody knows yet. */
export const whyTranscoded = ({ input }: Device, protocol: BrowserProtocol, profile: ProfileName): string | undefined =>
  input.sends !== undefined ? whyNotPlayed(protocol, profile, input.sends) : undefined

/** Which stream of a camera's browsers are shown: its transcode, where they do not play the camera's own. */
export const playedOver = (protocol: BrowserProtocol, profile: ProfileName, device: Device): StreamName =>
  whyTranscoded(device, protocol, profile) === undefined ? device.id : transcodeOf(device.id)
