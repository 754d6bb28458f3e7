import * as Schema from "effect/Schema"
import { RecordingFormat } from "../../schema/Recording.ts"
import * as Rules from "./Rules.ts"
import { auth, server, tls } from "./ServerSettings.ts"
import { key } from "./SettingKey.ts"

const aboutRanges = "a list of 16 at most: IPv4 addresses, and networks no wider than /22, such as 192.168.42.0/24"
const aboutStreams = "a list of 16 at most: a port and a path, such as 5554/subject"

/** What may change while the service runs. */
export const liveSchema = Schema.Struct({
  server,
  auth,
  tls,
  limits: Schema.Struct({
    connection_requests_per_second: key(
      Rules.whole(1, 1_000_000),
      10_000,
      "1 to 1000000",
      "JSON-RPC requests of one connection; more are refused"
    ),
    user_requests_per_second: key(
      Rules.whole(1, 1_000_000),
      20_000,
      "1 to 1000000",
      "JSON-RPC requests of one user, over all connections; more are refused"
    ),
    ffmpeg_processes: key(
      Rules.whole(1, 1000),
      128,
      "1 to 1000",
      "FFmpeg processes that read cameras at once; further ones queue, streams before snapshots"
    )
  }),
  cameras: Schema.Struct({
    include: key(Rules.names, ["*"], "a list of globs", "only V4L2 cameras whose name matches one"),
    exclude: key(Rules.names, [], "a list of globs", "no V4L2 cameras whose name matches one")
  }),
  external: Schema.Struct({
    allowed_hosts: key(
      Schema.Array(Rules.network),
      [],
      "a list of IP addresses, and of networks such as 192.168.1.0/24",
      "where cameras may be although it is loopback, link-local, multicast, reserved, or this machine (never its own ports)"
    ),
    allow_basic_over_plaintext: key(
      Schema.Boolean,
      false,
      "true or false",
      "true: passwords go in clear to cameras that know no Digest and no TLS"
    )
  }),
  discovery: Schema.Struct({
    skydio_ranges: key(
      Rules.scanRanges,
      ["192.168.42.10", "192.168.42.0/24"],
      aboutRanges,
      "where Skydio drones are looked for, the first first"
    ),
    skydio_streams: key(
      Rules.scanStreams,
      ["5554/subject", "6554/infrared"],
      aboutStreams,
      "what Skydio drones stream"
    ),
    generic_ranges: key(
      Rules.scanRanges,
      [],
      aboutRanges,
      "where other RTSP servers are looked for, where a client wants that (generic_enabled)"
    ),
    generic_streams: key(
      Rules.scanStreams,
      ["554/stream", "554/live", "554/video", "8554/stream", "8554/live", "8554/video"],
      aboutStreams,
      "what is looked for there"
    )
  }),
  codec: Schema.Struct({
    bitrate_kbps: key(Rules.whole(64, 50_000), 600, "64 to 50000", "the stream's bit rate where it is encoded here")
  }),
  streams: Schema.Struct({
    viewer_linger_seconds: key(
      Rules.seconds(0, 86_400),
      300,
      "0 to 86400",
      "how long a stream outlives its last viewer"
    ),
    snapshot_linger_seconds: key(Rules.seconds(0, 86_400), 60, "0 to 86400", "how long a stream outlives a snapshot"),
    start_timeout_seconds: key(Rules.seconds(1, 60), 10, "1 to 60", "how long a stream may take to start"),
    stall_seconds: key(Rules.seconds(1, 60), 3, "1 to 60", "frozen output for so long: FFmpeg is started again")
  }),
  snapshots: Schema.Struct({
    jpeg_quality: key(Rules.whole(1, 100), 85, "1 to 100", "of pictures that are encoded here"),
    live_timeout_seconds: key(Rules.seconds(0.1, 10), 2, "0.1 to 10", "time limit of tier 1, live"),
    activated_timeout_seconds: key(Rules.seconds(0.1, 10), 4, "0.1 to 10", "time limit of tier 2, activated"),
    direct_timeout_seconds: key(Rules.seconds(0.1, 10), 4, "0.1 to 10", "time limit of tier 3, direct")
  }),
  recording: Schema.Struct({
    format: key(RecordingFormat, "fmp4", "fmp4, mpegts, stanag4609, mp4 or mkv", "when start_recording names none"),
    segment_seconds: key(
      Rules.seconds(1, 86_400),
      3600,
      "1 to 86400",
      "a recording goes on in a new file after so long"
    ),
    part_milliseconds: key(Rules.milliseconds(50, 10_000), 100, "50 to 10000", "what a crash may cost (fMP4 parts)"),
    sync_milliseconds: key(
      Rules.milliseconds(100, 60_000),
      500,
      "100 to 60000",
      "how often what is recorded is brought to the disk: what a power cut may cost"
    ),
    resume_seconds: key(
      Rules.seconds(0, 3600),
      60,
      "0 to 3600",
      "an unplugged camera that is back within so long is recorded on; 0: the recording ends at once"
    ),
    resume_after: key(
      Schema.Literals(["nothing", "crash", "restart"]),
      "crash",
      "nothing, crash or restart",
      "recordings go on after a crash or a power cut; or also when the service was asked to end and starts again"
    )
  }),
  storage: Schema.Struct({
    max_age_days: key(
      Rules.amount,
      0,
      "0 to 1000000",
      "recordings and snapshots that are older are deleted; 0: none for its age"
    ),
    max_size_gb: key(
      Rules.amount,
      0,
      "0 to 1000000",
      "where all files together have more (GB of 1024³ bytes), the oldest are deleted; 0: they may have any size"
    ),
    camera_max_age_days: key(
      Rules.amountsByCamera,
      [],
      "a list of camera=days",
      "the same for one camera, in place of max_age_days: camera0=7"
    ),
    camera_max_size_gb: key(
      Rules.amountsByCamera,
      [],
      "a list of camera=GB",
      "the same for one camera's files: camera0=20.5"
    ),
    delete_percent: key(
      Rules.whole(0, 99),
      0,
      "0 to 99",
      "where more of the disk is used, or little more than the reserve is left, the oldest files are deleted; 0: never for that"
    ),
    warn_percent: key(
      Rules.whole(1, 100),
      80,
      "1 to 100",
      "where as much of the disk is used, the log and low_space_warning say so; 100: never"
    ),
    refuse_percent: key(
      Rules.whole(1, 100),
      90,
      "1 to 100",
      "where as much of the disk is used, no new recording begins; 100: none is refused"
    ),
    reserve_mb: key(
      Rules.whole(0, 1_000_000),
      256,
      "0 to 1000000",
      "what recordings and snapshots leave free: recordings wait until twice as much is free (MB of 1024² bytes)"
    )
  }),
  telemetry: Schema.Struct({
    log_level: key(
      Schema.Literals(["trace", "debug", "info", "warning", "error"]),
      "info",
      "trace, debug, info, warning or error",
      "the least that is logged"
    )
  })
})
export type Live = typeof liveSchema.Type
