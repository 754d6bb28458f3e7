/** A row of the table of budgets, which is the contract; `benchmark` measures it. */
export interface Budget {
  readonly name: string
  readonly benchmark: string
  readonly what: string
  /** the reference system: its target · what was measured of it */
  readonly reference: string
  readonly unit: string
  readonly budget: string
  readonly isMet: (value: number) => boolean
}

type Rule = Pick<Budget, "unit" | "budget" | "isMet">

const below = (limit: number, unit: string, which = ""): Rule => ({
  unit,
  budget: `${which} < ${limit.toLocaleString("en")} ${unit}`.trim(),
  isMet: (value) => value < limit
})
const atMost = (limit: number, unit: string): Rule => ({
  unit,
  budget: `≤ ${limit} ${unit}`,
  isMet: (value) => value <= limit
})
const atLeast = (limit: number): Rule => ({
  unit: "",
  budget: limit.toLocaleString("en"),
  isMet: (value) => value >= limit
})

const row = (name: string, what: string, reference: string, rule: Rule): Budget => ({
  name,
  benchmark: name.split(".")[0] ?? name,
  what,
  reference,
  ...rule
})

const timesBare = "× bare"

/** All rows, in the order of the contract. */
export const budgets: ReadonlyArray<Budget> = [
  row("hotplug.plugged", "camera plugged → notification, in the lab", "< 200 ms · never came", below(50, "ms", "p95")),
  row("hotplug.plugged_slowest", "… the slowest", "", below(200, "ms")),
  row("hotplug.unplugged", "… unplugged", "< 200 ms · never came", below(50, "ms", "p95")),
  row("hotplug.native", "… plugged, the device played, this CPU", "", below(50, "ms", "p95")),
  row("hotplug.native_unplugged", "… unplugged, the device played", "", below(50, "ms", "p95")),
  row("hotplug.left", "… 500 times: what is open or runs more than before", "", atMost(0, "things")),
  row("hotplug.memory", "… 500 times: memory at rest, in the lab", "", below(5, "MB")),
  row("hotplug.native_memory", "… 3,000 times: memory at rest, the device played", "", below(5, "MB")),
  row("latency.p50", "status methods, 1,000 connections at 1/s", "< 50 · 0.2 ms", below(1, "ms", "p50")),
  row("latency.p99", "", "< 50 · 0.85 ms", below(5, "ms", "p99")),
  row("latency.give_backs", "… while memory is given back", "", below(5, "ms", "p99")),
  row("tracing.p50", "the same, traces and metrics sent to a collector", "–", below(1, "ms", "p50")),
  row("tracing.p99", "", "–", below(5, "ms", "p99")),
  row("cpu.ping", "CPU a call: ping", "– · 26 µs (bare: 16)", atMost(1.3, timesBare)),
  row("cpu.get_camera_list", "CPU a call: get_camera_list of 10", "– · 70 µs (bare: 28)", atMost(1.3, timesBare)),
  row("list.call", "list_recordings, 50 of 100,000", "–", below(2, "ms", "p50")),
  row("list.cpu", "the same, CPU", "– · 16 ms, 200 files", below(2, "ms")),
  row("list.usage", "get_storage_info, 100,000 files", "–", below(5, "ms", "p50")),
  row("list.cleanup", "ping while 100,000 files are deleted", "–", below(5, "ms", "p99")),
  row("broadcast.first", "notification to 1,000 clients: the first", "< 20 ms · none came", below(5, "ms", "p50")),
  row("broadcast.last", "… the last", "< 20 ms · none came", below(50, "ms", "p50")),
  row("events.last", "1,000 subscribers, 100 events a second: the last", "–", below(100, "ms", "p95")),
  row("events.lost", "… what they did not get", "–", atMost(0, "events")),
  row("connections.held", "connections held on one core", "1,000+ · 5,000", atLeast(10_000)),
  row("memory.base", "RSS at rest, 10 s after the last work: base", "< 60 · 13 MB", below(45, "MB")),
  row("memory.cameras", "… with 10 cameras", "< 200 · 14 MB", below(45, "MB")),
  row("memory.connections", "… with 1,000 idle connections", "– · 33 MB", below(65, "MB")),
  row("memory.calls", "… after 1,000,000 calls", "– · 54 MB and growing", below(60, "MB")),
  row("memory.growth", "… the second half of them", "– · 20 MB", below(5, "MB")),
  row("snapshot.at_hand", "snapshot: live, at hand", "< 500 · 100 ms", below(5, "ms", "p95")),
  row("mjpeg.fresh", "snapshot: live, fresh, from MJPEG", "–", below(50, "ms", "p95")),
  row("hotplug.fresh_mjpeg", "snapshot: live, fresh, from MJPEG, in the lab", "–", below(50, "ms", "p95")),
  row("snapshot.fresh", "snapshot: live, fresh, encoded here", "–", below(250, "ms", "p95")),
  row("snapshot.activated.p50", "snapshot: activated", "1–3 s · 2–5 s", below(200, "ms", "p50")),
  row("snapshot.activated.p95", "", "", below(350, "ms", "p95")),
  row("snapshot.direct.p50", "snapshot: direct (the tier's own time)", "– · never", below(200, "ms", "p50")),
  row("snapshot.direct.p95", "", "", below(350, "ms", "p95")),
  row("describe.keyframe", "idle camera: DESCRIBE → first frame", "– (go2rtc 154 ms)", below(150, "ms", "p50")),
  row("external.scan", "a silent /24 × two streams looked at", "hours", below(5, "s")),
  row("external.latency", "… status methods meanwhile, 1,000 clients", "–", below(5, "ms", "p99")),
  row("external.describe", "idle network camera: DESCRIBE → first frame", "– (go2rtc 154 ms)", below(300, "ms", "p50")),
  row("external.transcode", "… of its transcode, B-frames, keyframes 2 s apart", "–", below(1000, "ms", "p50")),
  row(
    "external.snapshot_h264",
    "snapshot of a network camera: keyframe at hand",
    "– (go2rtc 606 ms)",
    below(50, "ms", "p95")
  ),
  row("external.snapshot_h264_regular", "… every other second", "–", below(5, "ms", "p95")),
  row(
    "external.snapshot_h264_cold",
    "… idle: beyond one keyframe interval",
    "– (go2rtc 232 ms, whole)",
    below(200, "ms", "slowest")
  ),
  row("external.snapshot_h265", "… H.265: keyframe at hand", "–", below(50, "ms", "p95")),
  row("external.snapshot_h265_regular", "… H.265, every other second", "–", below(5, "ms", "p95")),
  row("external.snapshot_h265_cold", "… H.265, idle: beyond one keyframe interval", "–", below(200, "ms", "slowest")),
  row("snapshot.burst", "20 snapshots at once, live: the slowest", "– · 4: 372 ms", below(15, "ms", "p50")),
  row("recording.live", "recording started: live", "< 1 s · 2.6 s", below(600, "ms", "p95")),
  row("recording.idle", "recording started: idle", "< 1 s · 2.6 s", below(600, "ms", "p95")),
  row("hotplug.path", "MediaMTX path after detection", "< 100 ms · –", below(20, "ms", "p95")),
  row("console-server.spans", "recorded spans, 16 cameras × 30 days of minutes", "–", below(200, "ms", "p95")),
  row("console-server.parts", "parts and keyframes of a recording", "–", below(50, "ms", "p95")),
  row("console-server.thumbnail_new", "thumbnail: new", "–", below(250, "ms", "p95")),
  row("console-server.thumbnail_kept", "… kept", "–", below(50, "ms", "p95")),
  row("console-server.export", "export → its first bytes", "–", below(1000, "ms", "slowest")),
  row("console-server.whep_idle", "WHEP answer: idle camera", "–", below(700, "ms", "p95")),
  row("console-server.whep", "… live", "–", below(50, "ms", "p95")),
  row("console-page.paint", "console in Chromium: first paint", "–", below(600, "ms", "p95")),
  row("console-page.script", "… script at first (compressed)", "–", below(130, "KiB")),
  row("console-page.still", "… tile → the newest snapshot in it", "–", below(300, "ms", "p95")),
  row("console-page.cold", "… first live picture: idle camera", "–", below(1500, "ms", "p95")),
  row("console-page.warm", "… live", "–", below(700, "ms", "p95")),
  row("console-blocked.no_udp", "… UDP dropped on the way: it is WebRTC over TCP", "–", below(3000, "ms", "slowest")),
  row("console-blocked.no_webrtc", "… all of WebRTC dropped: it is HLS", "–", below(3000, "ms", "slowest")),
  row("console-page.delay", "… picture made → shown", "–", below(200, "ms", "p50")),
  row("console-page.badge", "… how far its badge is from that", "–", below(50, "ms", "p50")),
  row("console-page.seek", "… seek into a recording", "–", below(400, "ms", "p95")),
  row("console-presses.inp", "… press → next paint, while two cameras play", "–", below(100, "ms", "slowest")),
  row("console-restarts.mediamtx", "… MediaMTX killed → live again", "–", below(3000, "ms", "slowest")),
  row("console-restarts.restart", "… service starts again → live again", "–", below(3000, "ms", "slowest")),
  row("console-wall.dropped", "… 16 tiles of 640×360 at 15/s: not shown", "–", below(1, "%")),
  row("console-wall.dropped_more", "… more than where a page is nothing but 16 videos", "–", below(1, "%")),
  row("console-wall.inp", "… press → next paint, while they play", "–", below(100, "ms", "slowest")),
  row("console-wall.skew", "… four recorded cameras in step: apart by", "–", below(100, "ms", "p50")),
  row("console-wall.heap", "… heap after 24 h of events: more by", "–", below(10, "%")),
  row("start.reply", "start → first reply", "< 30 s · 30.0 s", below(200, "ms", "slowest")),
  row("start.ready", "start → ready with 10 cameras", "–", below(600, "ms", "slowest")),
  row("idle.cpu", "idle CPU, 10 cameras, a minute after the start", "– · 0.2 %", below(0.3, "%")),
  row("ffmpeg.gone", "frozen FFmpeg gone after its last need", "–", below(6000, "ms", "slowest")),
  row("recovery.time", "MediaMTX killed → 50 paths, 2 streams", "< 60 s · never", below(3000, "ms", "slowest")),
  row("orphans.left", "orphans after 100 kill -9", "– · 3 each time", atMost(0, "processes")),
  row("testground.boot", "the whole service in memory: start and end", "–", below(100, "ms", "p50")),
  row("testground.story", "… a camera is recorded, freezes, is given up", "–", below(1000, "ms", "p50")),
  row("simulate.days", "days simulated in a minute, with an incident each", "–", atLeast(500)),
  row("simulate.broken", "… seeds that broke a promise", "–", atMost(0, "seeds"))
]
