/** What the service says of its methods, as what people do at a shell. */
const words: ReadonlyArray<readonly [said: string, meant: string]> = [
  ["call stop_recording first", "stop it first"],
  ["call start_recording first", "camera-service record starts one"],
  [", and call authenticate with it", " (--token-file)"],
  ["send it again after retry_after_ms", "try again then"],
  ["get_stream_status and the service's log tell", "the service's log tells"],
  ["get_camera_list", "camera-service cameras"],
  ["get_camera_status", "camera-service cameras"],
  ["list_recordings", "camera-service recordings"],
  ["camera_status_update", "camera-service watch"],
  ["get_storage_info", "camera-service doctor"]
]

/** An error's message without the names of methods that nobody calls at a shell. Pure. */
export const atShell = (message: string): string =>
  words.reduce((text, [said, meant]) => text.replaceAll(said, meant), message)
