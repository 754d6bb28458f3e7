import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Metric from "effect/Metric"

/*
 * Every metric of the service: its name, its meaning, its unit and its labels. Names are written as OpenTelemetry writes
 * them; Prometheus's are made of name and unit (`Exposition.ts`): `camera.activation` in seconds is
 * `camera_activation_seconds`. A label has few values, all of them known beforehand; cameras come and go, and what was
 * told of one that is forgotten goes with it.
 */

interface About {
  readonly description: string
  readonly attributes: Readonly<Record<string, string>>
}

const about = (description: string, labels: Readonly<Record<string, string>> = {}): About => ({
  description,
  attributes: labels
})
/** Effect's exporters know a metric's unit by this attribute. */
const inSeconds = (description: string, labels: Readonly<Record<string, string>> = {}): About =>
  about(description, { unit: "seconds", ...labels })
const inBytes = (description: string, labels: Readonly<Record<string, string>> = {}): About =>
  about(description, { unit: "bytes", ...labels })

const counter = (id: string, options: About) => Metric.counter(id, { ...options, incremental: true })

// --- cameras

export const cameraUp = (camera: string) =>
  Metric.gauge("camera.up", about("1: the camera is plugged in and works, as far as is known.", { camera }))

export const cameraFault = (camera: string, fault: string) =>
  Metric.gauge("camera.fault", about("1 for the fault that a camera has now.", { camera, fault }))

export const hotplug = Metric.histogram("camera.hotplug", {
  ...inSeconds("From the kernel's word of a camera's node to the word of the camera, probe included."),
  boundaries: [0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.5, 1, 2, 5]
})

// --- streams

export const streams = (state: string) =>
  Metric.gauge("camera.streams", about("Streams that somebody needs, by their state.", { state }))

export const activation = Metric.histogram("camera.activation", {
  ...inSeconds("From the first need of an idle camera's stream until MediaMTX has it."),
  boundaries: [0.1, 0.15, 0.2, 0.25, 0.35, 0.5, 0.75, 1, 2, 5, 10]
})

export const ffmpegRestarts = (reason: string) =>
  counter("camera.ffmpeg.restarts", about("Runs of FFmpeg that ended while their stream was needed.", { reason }))

// --- snapshots and recordings

export const snapshotDuration = (tier: string) =>
  Metric.histogram("camera.snapshot", {
    ...inSeconds("From the request of a snapshot to its picture, by the tier that had it.", { tier }),
    boundaries: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.35, 0.5, 1, 2, 5, 10]
  })

export const snapshotAge = (tier: string) =>
  Metric.histogram("camera.snapshot.age", {
    ...inSeconds("How old a snapshot's picture was when it was had, by the tier that had it.", { tier }),
    boundaries: [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2, 5, 10, 60]
  })

export const recordingActive = (camera: string) =>
  Metric.gauge(
    "camera.recording.active",
    about("1 while a recording is written; 0 while one is to be and cannot.", { camera })
  )

export const segmentAge = (camera: string) =>
  Metric.gauge(
    "camera.recording.segment.age",
    inSeconds("Since the last file of the recording under way was begun.", { camera })
  )

export const storageFree = Metric.gauge(
  "camera.storage.free",
  inBytes("What the service may still write where its data is.")
)
export const storageUp = Metric.gauge(
  "camera.storage.up",
  about("1: the disk can be written to, however full it is. 0: it is away, read-only, or does not answer.")
)
export const storageSize = Metric.gauge("camera.storage.size", inBytes("The size of the disk where the data is."))

/** `outside`: the sender, or an address that a camera told for its own */
export const discoveryDropped = (outside: "sender" | "address") =>
  counter(
    "camera.discovery.dropped",
    about("What was said in WS-Discovery, and dropped: it is from outside the networks that were asked.", { outside })
  )

// --- MediaMTX

export const mediaMtxUp = Metric.gauge("camera.mediamtx.up", about("1 while MediaMTX runs and answers."))

export const mediaMtxRuns = counter("camera.mediamtx.runs", about("Times that MediaMTX has come up."))

export const mediaMtxMemory = Metric.gauge(
  "camera.mediamtx.resident.memory",
  inBytes("What MediaMTX occupies (RSS), where it is ours; shared pages of programs and libraries included.")
)

/** `stream`: the one that it makes; `other`: all that make none, together */
export const ffmpegMemory = (stream: string) =>
  Metric.gauge(
    "camera.ffmpeg.resident.memory",
    inBytes("What FFmpeg occupies (RSS), by the stream that it makes, and all others together.", { stream })
  )

export const reconciliations = (outcome: "done" | "failed") =>
  counter(
    "camera.mediamtx.reconciliations",
    about("Comparisons of MediaMTX's paths with those it should have.", { outcome })
  )

// --- clients

/** By the names of OpenTelemetry's semantic conventions for RPC; `code`: of the error that was answered. */
export const rpcCall = (method: string, code: string | undefined) =>
  Metric.histogram("rpc.server.call.duration", {
    ...inSeconds("From a JSON-RPC request to its reply.", {
      "rpc.system.name": "jsonrpc",
      "rpc.method": method,
      ...(code === undefined ? {} : { "rpc.response.status_code": code })
    }),
    boundaries: [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10]
  })

export const certificateExpiry = Metric.gauge(
  "camera.certificate.expiry.timestamp",
  inSeconds("When the certificate that other machines are shown ends, since 1970; where there is one.")
)

export const connections = Metric.gauge("camera.client.connections", about("Open WebSocket connections."))

export const notificationsDropped = counter(
  "camera.notifications.dropped",
  about("Notifications that a client did not get because it had left too much unread.")
)

/** By the setting's name, or what there may not be more of. */
export type Limit =
  | `server.max_${"connections" | "connections_per_address" | "unauthenticated_per_address"}`
  | `server.max_${"downloads" | "exports" | "stream_requests"}_per_user`
  | `server.max_${"downloads" | "stream_requests"}_per_address`
  | `server.max_${"unread_kilobytes" | "subscriptions_per_client"}`
  | `limits.${"connection_requests" | "user_requests"}_per_second`
  | "limits.ffmpeg_processes"
  | `storage.${"refuse_percent" | "reserve_mb"}`
  | "api keys"
  | "viewing keys"
  | "readers"
  | "least rate"
  | "time to authenticate"
  | "unread of all clients"

export const limitRefusals = (limit: Limit) =>
  counter("camera.limit.refusals", about("What was refused, or cut, because of a limit.", { limit }))

// --- this process

export const serviceInfo = (version: string) =>
  Metric.gauge("camera.service.info", about("1; the label is the version that runs.", { version }))
export const startTime = Metric.gauge("process.start.time", inSeconds("When the service started, in Unix time."))
export const clockTime = Metric.gauge(
  "camera.clock.timestamp",
  inSeconds("What time it is by this machine's clock, since 1970.")
)
export const processorTime = counter("process.cpu", inSeconds("CPU that this process has used, user and system."))
export const residentMemory = Metric.gauge(
  "process.resident.memory",
  inBytes("What this process occupies (RSS), shared pages of programs and libraries included.")
)
export const anonymousMemory = Metric.gauge(
  "process.anonymous.memory",
  inBytes("What is this process's alone (RssAnon).")
)
export const fibers = Metric.gauge("camera.fibers", about("Fibers (Effect's threads) that live."))
export const loopDelayMax = Metric.gauge(
  "nodejs.eventloop.delay.max",
  inSeconds("The most that the event loop was late for its timers in the last minute or two.")
)
export const loopDelayP99 = Metric.gauge(
  "nodejs.eventloop.delay.p99",
  inSeconds("How late the event loop was for its timers in the last minute or two; 99 of 100 were sooner.")
)

/** How many fibers live; to count them costs less than to look at a clock. */
export const LiveFibers = Context.Reference<{ count: number }>("camera-service/telemetry/LiveFibers", {
  defaultValue: () => ({ count: 0 })
})

/** The programs that were started and have not ended, by their process ids. */
export const RunningPrograms = Context.Reference<Map<number, string>>("camera-service/telemetry/RunningPrograms", {
  defaultValue: () => new Map()
})

/** The metrics of one service: another one in the same process has its own. */
export const layer = Layer.effectContext(
  Effect.sync(() => {
    const live = { count: 0 }
    return Context.make(LiveFibers, live).pipe(
      Context.add(RunningPrograms, new Map<number, string>()),
      Context.add(Metric.FiberRuntimeMetrics, {
        recordFiberStart: () => void live.count++,
        recordFiberEnd: () => void live.count--
      }),
      Context.add(Metric.MetricRegistry, new Map())
    )
  })
)

const nothing = (): void => {}

/** The gauge is what this gives whenever it is asked for, until it is removed. */
export const registerGauge = (gauge: Metric.Gauge<number>, context: Context.Context<never>, read: () => number) =>
  Metric.registerUnsafe(gauge, context, { get: () => ({ value: read() }), update: nothing, modify: nothing })

/** The same, as long as the scope lives. */
export const observe = (gauge: Metric.Gauge<number>, read: () => number) =>
  observed((context) => registerGauge(gauge, context, read))

/** The same of something that only grows. */
export const observeTotal = (total: Metric.Counter<number>, read: () => number) =>
  observed((context) =>
    Metric.registerUnsafe(total, context, {
      get: () => ({ count: read(), incremental: true }),
      update: nothing,
      modify: nothing
    })
  )

const observed = (register: (context: Context.Context<never>) => Metric.Registration) =>
  Effect.flatMap(Effect.context<never>(), (context) =>
    Effect.acquireRelease(
      Effect.sync(() => register(context)),
      (registration) => Effect.sync(() => registration.remove())
    )
  )
