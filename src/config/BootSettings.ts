import * as Schema from "effect/Schema"
import * as Rules from "./Rules.ts"
import { anyPort, key } from "./SettingKey.ts"

const longSecret = `${Rules.leastSecretLength} characters or more`

/** What is read once, at the start. */
export const bootSchema = Schema.Struct({
  data_dir: key(
    Rules.folder,
    "",
    "a folder, without ~",
    "recordings, snapshots, the index and secrets; empty: /var/lib/camera-service where it can be written to (root can), else ~/.local/state/camera-service"
  ),
  server: Schema.Struct({
    host: key(
      Rules.host,
      "127.0.0.1",
      "an address or a host name, without a port",
      "where JSON-RPC and downloads listen"
    ),
    port: anyPort(8002, "JSON-RPC over WebSocket (/ws) and downloads (/files)")
  }),
  tls: Schema.Struct({
    certificate_file: key(
      Rules.optionalFile,
      "",
      "an absolute path, or empty",
      "a certificate with its chain (PEM): other machines come by TLS alone then; empty: nothing is encrypted"
    ),
    key_file: key(Rules.optionalFile, "", "an absolute path, or empty", "its key (PEM, without a passphrase)"),
    port: anyPort(8443, "where server.host is served by TLS (https, wss)")
  }),
  health: Schema.Struct({
    host: key(Rules.host, "127.0.0.1", "an address or a host name, without a port", "where health and metrics listen"),
    port: anyPort(8003, "health and metrics")
  }),
  mediamtx: Schema.Struct({
    managed: key(Schema.Boolean, true, "true or false", "true: MediaMTX is a child of this service"),
    auth_secret: key(
      Rules.urlSecret,
      "",
      "32 to 128 letters, digits, - and _, or empty",
      "what the operator's MediaMTX shows with each question (authHTTPAddress); empty: whoever asks is answered; ours has its own"
    ),
    binary: key(Rules.text, "mediamtx", "a program", "the MediaMTX program"),
    memory_megabytes: key(
      Rules.whole(64, 65_536),
      256,
      "64 to 65536",
      "near so much memory our own MediaMTX works harder to need less (GOMEMLIMIT); it refuses nobody for it"
    ),
    host: key(
      Rules.host,
      "127.0.0.1",
      "an address or a host name, without a port",
      "where viewers reach MediaMTX, and where it listens"
    ),
    api_port: anyPort(9997, "MediaMTX's API; always on loopback"),
    rtsp_port: anyPort(8554, "RTSP"),
    rtsps_port: anyPort(8322, "RTSP by TLS, where there is a certificate"),
    hls_port: anyPort(8888, "HLS"),
    hls_variant: key(
      Schema.Literals(["fmp4", "mpegts", "lowLatency"]),
      "fmp4",
      "fmp4, mpegts or lowLatency",
      "how HLS is cut: fmp4 for every player; mpegts for old ones (H.264 alone); lowLatency is half as late, and fails in VLC"
    ),
    webrtc_port: anyPort(8889, "WebRTC signalling (WHEP)"),
    webrtc_udp_port: anyPort(8189, "WebRTC media"),
    webrtc_tcp_port: anyPort(8189, "WebRTC media where UDP does not come through (TCP)"),
    playback_port: anyPort(9996, "playback of recordings")
  }),
  ffmpeg: Schema.Struct({
    binary: key(Rules.text, "ffmpeg", "a program", "the FFmpeg program"),
    ffprobe_binary: key(Rules.text, "ffprobe", "a program", "the ffprobe program")
  }),
  cameras: Schema.Struct({
    synthetic: key(
      Rules.whole(0, 256),
      0,
      "a whole number, 0 to 256",
      "how many synthetic cameras (test patterns) there are"
    ),
    v4l2: key(Schema.Boolean, true, "true or false", "look for V4L2 cameras")
  }),
  external: Schema.Struct({
    enabled: key(
      Schema.Boolean,
      true,
      "true or false",
      "false: no camera of the network is added or looked for, and those that were added are none"
    )
  }),
  codec: Schema.Struct({
    profile: key(
      Schema.Literals(["stanag4406", "none"]),
      "stanag4406",
      "stanag4406 or none",
      "what the stream is constrained to; none: nothing"
    )
  }),
  auth: Schema.Struct({
    jwt_secret: key(
      Schema.Union([
        Schema.Literal(""),
        Schema.String.check(Schema.isMinLength(Rules.leastSecretLength, { expected: longSecret }))
      ]).pipe(Schema.RedactedFromValue),
      "",
      `${longSecret}, or empty`,
      "signs tokens (HS256) and URLs, all of which end with it; empty: generated at the first start and kept in the data folder"
    )
  }),
  telemetry: Schema.Struct({
    otlp_endpoint: key(
      Rules.endpoint,
      "",
      "an http or https URL, or empty",
      "where traces and metrics go (OTLP over HTTP): a collector, or its /v1/traces; empty: nowhere"
    ),
    log_format: key(
      Schema.Literals(["json", "pretty", "auto"]),
      "auto",
      "json, pretty or auto",
      "auto: pretty on a terminal, else json"
    )
  })
})
export type Boot = typeof bootSchema.Type
