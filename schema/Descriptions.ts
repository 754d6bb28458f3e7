/** What each method does, and each notification tells, in a sentence: for openrpc.json, types.ts and rpc.discover. */
export const descriptions: Readonly<Record<string, string>> = {
  ping: "Answers pong.",
  authenticate: "Says who is asking, with a token or a key; the connection stays so until the token expires.",
  refresh_token: "Gives a new token for the same user and role, before the old one expires.",

  get_camera_list: "All cameras that the user may see, also those that are away.",
  get_camera_status: "One camera, with what it can deliver and how much of it is watched.",
  get_camera_capabilities: "The formats, sizes and rates of a camera, and what is set on it now.",
  get_camera_controls: "The controls of a camera (brightness, exposure, focus) with their values and ranges.",
  set_camera_control: "Sets a control of a camera, also while it streams, and answers with the control as it then is.",

  ptz_move: "Moves a camera: pan, tilt, zoom. It stops when nobody says so again in time, or its client has gone.",
  ptz_stop: "Stops a camera that moves, whoever moves it.",
  ptz_presets: "The positions that a camera has kept.",
  ptz_goto: "Has a camera go to a position that it has kept.",

  take_snapshot:
    "Takes a picture the fastest way there is: from the running stream, by starting it, or from the device.",
  start_recording: "Starts to record a camera; answers as soon as there are bytes on disk.",
  stop_recording: "Ends a recording; answers when its files are whole on disk.",

  start_streaming: "Starts the stream of a camera, as a viewer would, and answers when MediaMTX has it.",
  stop_streaming: "Ends the time that a stream lives on without viewers.",
  get_stream_url: "Where viewers find a camera's stream, and whether it is there now.",
  get_stream_status: "How a stream is made: its FFmpeg, its path, what it sends, and why it does not.",
  get_streams: "The streams of all cameras that the user may see.",

  get_telemetry: "What a camera told last of where it is and where it looks (KLV), and how long ago.",
  get_recording_telemetry: "What a camera told while it was recorded, of one recording and of one span of it.",

  list_recordings: "The recordings, newest first.",
  list_snapshots: "The snapshots, newest first.",
  get_recording_info: "What is known of one recording.",
  get_snapshot_info: "What is known of one snapshot.",
  delete_recording: "Deletes a recording that nobody writes or downloads.",
  delete_snapshot: "Deletes a snapshot that nobody downloads.",
  get_recorded_spans: "When cameras were recorded, as finely as it is shown, and why not where it was not.",
  get_recorded_files: "The recordings that have something of a time, oldest first: what to play.",
  get_recording_parts: "Where parts and keyframes are in a recording (fmp4), for a player that fetches byte ranges.",
  export_recording:
    "A URL that downloads all that was recorded of a camera in a time as one MP4, made as it is sent; with sound where all its files have the same.",
  get_download_url: "A URL that downloads one file without a header, for a short time.",

  get_storage_info: "How much room there is, how much of it recordings and snapshots take, and when it will be full.",
  set_retention_policy: "Says which files are deleted, and when.",
  cleanup_old_files: "Deletes now what the retention policy would delete.",

  discover_external_streams: "Looks for streams in the network: Skydio drones, RTSP servers, ONVIF cameras.",
  add_external_stream: "Makes a stream from the network a camera.",
  remove_external_stream: "Forgets a stream from the network.",
  get_external_streams: "The streams from the network that are known.",
  set_discovery_interval: "Says how often streams are looked for in the network.",

  subscribe_events: "From now on tells this connection of these topics.",
  unsubscribe_events: "Tells this connection of these topics, or of any, no more.",
  get_subscription_stats: "What this connection is told of, and how many others are told of what.",

  create_api_key: "Makes a key that authenticates like a token; it is shown this once.",
  list_api_keys: "All keys, without their secrets.",
  revoke_api_key: "Ends a key, and what it has opened.",
  rotate_api_key: "Gives a key a new secret, shown this once; the old one ends.",
  create_viewing_key: "Makes a short key that opens one camera's streams in a player.",

  get_server_info: "What this server is, and what it can do.",
  get_system_status: "Whether the cameras are ready to be used.",
  get_status: "Whether the service is well, part by part.",
  get_metrics: "Load of the machine and of the service, in numbers.",
  get_clients: "Who is connected, the newest first.",
  get_configuration: "Every key of the configuration as it is in force, and where it came from; secrets are hidden.",
  "rpc.discover": "This interface as an OpenRPC document.",

  camera_status_update: "A camera is another than before; every authenticated client is told.",
  recording_status_update: "A recording is in another state; every authenticated client is told.",
  system_health_update: "A part of the service is in another state; every authenticated client is told.",
  event: "Something happened that was subscribed to."
}
