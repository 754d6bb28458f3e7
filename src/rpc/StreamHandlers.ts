import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as SubscriptionRef from "effect/SubscriptionRef"
import { CurrentSession } from "../../schema/Auth.ts"
import type { CameraId } from "../../schema/Camera.ts"
import { StreamRpcs } from "../../schema/CameraRpcs.ts"
import { InvalidState } from "../../schema/Errors.ts"
import type { StreamEncoding, StreamStatus } from "../../schema/Stream.ts"
import { liveNow, Settings } from "../config/Settings.ts"
import { Devices } from "../device/Devices.ts"
import { MediaMtxApi } from "../process/MediaMtxApi.ts"
import { isHardware } from "../source/Encoder.ts"
import type { Source } from "../source/Source.ts"
import type { LiveStream } from "../stream/LiveStream.ts"
import { Paths } from "../stream/Paths.ts"
import { Streams } from "../stream/Streams.ts"
import { maySee, visible } from "./Authorization.ts"
import { streamUrls } from "./CameraView.ts"
import { isoTime, toSeconds } from "./Wire.ts"

const noCodec = { profile: "", level: "", width: 0, height: 0, conformant: false }

/** `ready`: MediaMTX has the stream, and so have viewers, which the publisher may be yet to hear. */
const statusOf = (stream: LiveStream | undefined, ready: boolean): Pick<StreamStatus, "status" | "reason"> => {
  if (stream === undefined) return { status: "INACTIVE" }
  const state = SubscriptionRef.getUnsafe(stream.state)
  // a camera's own bit stream is none that viewers are to rely on before it has been read
  const counts = ready && stream.now.source !== undefined && stream.now.source.encoder.name !== "copy"
  if (counts && state._tag === "Starting") return { status: "ACTIVE" }
  switch (state._tag) {
    case "Starting":
      return { status: "STARTING", ...(state.reason === undefined ? {} : { reason: state.reason }) }
    case "Ready":
      return { status: "ACTIVE" }
    case "Failing":
      return { status: "ERROR", reason: state.reason }
    case "Stopping":
      return { status: "STOPPING" }
  }
}

const encodingView = ({ delivers, encoder, why }: Source): StreamEncoding => ({
  input: delivers,
  encoder: encoder.name,
  hardware: isHardware(encoder),
  reason: why
})

/** On average since MediaMTX has the stream. */
const bitsPerSecond = (bytes: number, millis: number): number => (millis > 0 ? Math.round((bytes * 8000) / millis) : 0)

export const layer = StreamRpcs.toLayer(
  Effect.gen(function* () {
    const settings = yield* Settings
    const devices = yield* Devices
    const streams = yield* Streams
    const paths = yield* Paths
    const api = yield* MediaMtxApi

    const base = (camera: CameraId) => ({
      device: camera,
      stream_name: camera,
      stream_url: streamUrls(camera, settings.boot).rtsp
    })

    /** MediaMTX's word on the path of a stream; there is none of an idle camera's, and a MediaMTX that is down has none. */
    const pathOf = (camera: CameraId) =>
      streams.current(camera) === undefined
        ? Effect.succeedNone
        : Effect.orElseSucceed(api.getPath(camera), Option.none)

    return StreamRpcs.of({
      start_streaming: Effect.fnUntraced(function* ({ device }) {
        const camera = yield* visible(device)
        const linger = Duration.toSeconds(liveNow(settings).streams.viewer_linger_seconds)
        const stream = yield* Effect.scoped(
          Effect.tap(streams.lease(camera, "viewer"), (leased) => streams.awaitReady(leased))
          // who was told that it failed does not expect it to begin minutes later
        ).pipe(Effect.tapErrorTag("DependencyFailed", () => streams.release(camera)))
        return {
          ...base(camera),
          status: "STARTED" as const,
          start_time: isoTime(stream.startedAt),
          auto_close_after: `${linger}s`,
          ffmpeg_command: stream.now.source?.summary ?? ""
        }
      }),

      stop_streaming: Effect.fnUntraced(function* ({ device }) {
        const camera = yield* visible(device)
        yield* devices.get(camera)
        const stream = streams.current(camera)
        if (stream === undefined) {
          return yield* new InvalidState({ state: "INACTIVE", allowed_states: ["ACTIVE", "STARTING", "ERROR"] })
        }
        const continues = yield* streams.release(camera)
        const now = yield* Clock.currentTimeMillis
        return {
          ...base(camera),
          status: "STOPPED" as const,
          start_time: isoTime(stream.startedAt),
          end_time: isoTime(now),
          duration: toSeconds(now - stream.startedAt),
          stream_continues: continues
        }
      }),

      get_stream_url: Effect.fnUntraced(function* ({ device }) {
        const camera = yield* visible(device)
        const { status } = yield* devices.get(camera)
        const path = yield* pathOf(camera)
        const ready = Option.isSome(path) && path.value.ready
        const failing = statusOf(streams.current(camera), ready).status === "ERROR" || status === "ERROR"
        const notReady = failing ? ("ERROR" as const) : ("NOT_READY" as const)
        return {
          ...base(camera),
          available: paths.exists(camera) && status === "CONNECTED",
          active_consumers: Option.isSome(path) ? path.value.readers : 0,
          stream_status: ready ? ("READY" as const) : notReady
        }
      }),

      get_stream_status: Effect.fnUntraced(function* ({ device }) {
        const camera = yield* visible(device)
        yield* devices.get(camera)
        const stream = streams.current(camera)
        const { codec, published, readySince, restarts = 0, running, source } = stream?.now ?? {}
        const now = yield* Clock.currentTimeMillis
        const path = yield* pathOf(camera)
        const lastStart = streams.lastStart(camera)
        const ready = Option.isSome(path) && path.value.ready
        return {
          device: camera,
          stream_name: camera,
          ...statusOf(stream, ready),
          ready,
          restarts,
          ffmpeg_process: {
            running: running !== undefined,
            pid: running?.pid ?? 0,
            uptime: running === undefined ? 0 : toSeconds(now - running.startedAt)
          },
          mediamtx_path: {
            exists: paths.exists(camera),
            ready,
            readers: Option.isSome(path) ? path.value.readers : 0
          },
          metrics: {
            bytes_sent: Option.isSome(path) ? path.value.bytesSent : 0,
            frames_sent: published?.frames ?? 0,
            bitrate: Option.isSome(path) ? bitsPerSecond(path.value.bytesReceived, now - (readySince ?? now)) : 0,
            fps: published?.fps ?? 0
          },
          codec: codec ?? noCodec,
          ...(source === undefined ? {} : { encoding: encodingView(source) }),
          start_time: lastStart === undefined ? "" : isoTime(lastStart)
        }
      }),

      get_streams: Effect.fnUntraced(function* () {
        const session = yield* CurrentSession
        const states = streams.all().length === 0 ? [] : yield* Effect.orElseSucceed(api.listPaths, () => [])
        const byName = new Map(states.map((state) => [state.name, state]))
        return devices
          .list()
          .filter(({ id }) => maySee(session, id))
          .map(({ id, kind }) => {
            const state = byName.get(id)
            return {
              name: id,
              source: kind,
              ready: state?.ready ?? false,
              readers: state?.readers ?? 0,
              bytes_sent: state?.bytesSent ?? 0
            }
          })
      })
    })
  })
)
