import type { DependencyFailed, InvalidParams, InvalidState, NotFound, ServiceError } from "../../schema/Errors.ts"

/**
 * What a client, or the person in front of it, can do about an error that has no `suggestion` of its own. It is made of the
 * error's own fields alone, so it tells nothing that they do not tell. Invalid params have a `hint`, which is that already.
 */
export const nextStep = (error: Exclude<ServiceError, InvalidParams>): string => {
  switch (error._tag) {
    case "AuthFailed":
      return "get another token or key from who gave you this one, and call authenticate with it"
    case "PermissionDenied":
      return `ask whoever runs this service for a token or a key that may (${error.required_role})`
    case "NotFound":
      return where[error.resource]
    case "InvalidState":
      return stepFrom(error)
    case "Unsupported":
      return "whoever runs this service may switch it on; get_server_info tells what works here (capabilities)"
    case "RateLimited":
      return "send it again after retry_after_ms"
    case "DependencyFailed":
      return lookAt[error.dependency]
  }
}

const where: Readonly<Record<NotFound["resource"], string>> = {
  camera: "get_camera_list tells which cameras there are",
  control: "get_camera_controls tells which controls the camera has",
  stream: "get_external_streams tells which streams were added",
  preset: "ptz_presets tells which presets the camera has",
  recording: "list_recordings tells which recordings there are",
  snapshot: "list_snapshots tells which snapshots there are",
  api_key: "list_api_keys tells which keys there are"
}

const lookAt: Readonly<Record<DependencyFailed["dependency"], string>> = {
  mediamtx: "try again in some seconds; where it stays so, the service's log tells what is wrong with MediaMTX",
  ffmpeg: "try again; where it stays so, get_stream_status and the service's log tell why FFmpeg ends",
  camera: "look at the camera, its cable and its power (get_camera_status tells its fault), and try again",
  storage: "see to the disk (get_storage_info tells how full it is, the service's log what failed), and try again"
}

/** By the state that it would have to be in: what brings it there. */
const stepFrom = ({ allowed_states }: InvalidState): string => {
  if (allowed_states.includes("CONNECTED")) return "plug the camera in: camera_status_update tells when it is CONNECTED"
  if (allowed_states.includes("STOPPED")) return "call stop_recording first, or wait until it has stopped"
  if (allowed_states.includes("RECORDING")) return "call start_recording first: nothing is recorded now"
  if (allowed_states.includes("ACTIVE")) return "nothing runs that could be stopped; start_streaming starts it"
  return `wait until it is ${allowed_states.join(" or ")}, and try again`
}
