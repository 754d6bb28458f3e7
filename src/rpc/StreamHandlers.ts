import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import { CurrentSession } from "../../schema/Auth.ts"
import { StreamRpcs } from "../../schema/CameraRpcs.ts"
import { InvalidState } from "../../schema/Errors.ts"
import type { StreamEncoding, TranscodeStatus } from "../../schema/Stream.ts"
import { SignedUrls } from "../auth/SignedUrls.ts"
import { liveNow, Settings } from "../config/Settings.ts"
import type { Device } from "../device/Device.ts"
import { Devices } from "../device/Devices.ts"
import { isoTime, millisSince, toSeconds } from "../ground/Time.ts"
import { isHardware } from "../source/Encoder.ts"
import type { Making } from "../source/Making.ts"
import { Status } from "../stream/Status.ts"
import { streamsOf, transcodeOf, whyTranscoded } from "../stream/StreamName.ts"
import { Streams } from "../stream/Streams.ts"
import { maySee, visible } from "./Authorization.ts"
import { makeHostOfClient, streamUrls, withToken } from "./CameraView.ts"

/** Milliseconds in which a signed URL opens a stream. */
const signedFor = 60_000

const noCodec = { profile: "", level: "", width: 0, height: 0, conformant: false }

const encodingView = ({ delivers, encoder, why }: Making): StreamEncoding => ({
  input: delivers,
  encoder: encoder.name,
  hardware: isHardware(encoder),
  reason: why
})

export const layer = StreamRpcs.toLayer(
  Effect.gen(function* () {
    const settings = yield* Settings
    const devices = yield* Devices
    const streams = yield* Streams
    const status = yield* Status
    const signatures = yield* SignedUrls
    const hostOf = yield* makeHostOfClient

    const urlsOf = (device: Device, clientId: number) => streamUrls(device, settings.boot, hostOf(clientId))
    const base = (device: Device, clientId: number) => ({
      device: device.id,
      stream_name: device.id,
      stream_url: urlsOf(device, clientId).rtsp
    })

    const signedUrls = Effect.fnUntraced(function* (device: Device, clientId: number) {
      const session = yield* CurrentSession
      const now = yield* Clock.currentTimeMillis
      const expiresAt = Math.min(Math.ceil((now + signedFor) / 1000) * 1000, session.expiresAt)
      const signature = signatures.sign("stream", device.id, session, expiresAt)
      return { ...withToken(urlsOf(device, clientId), signature), expires_at: isoTime(expiresAt) }
    })

    const transcodeView = Effect.fnUntraced(function* (device: Device) {
      const { codec, name, reason, run, state, viewers } = yield* status.of(transcodeOf(device.id))
      const needed = (["webrtc", "hls"] as const).flatMap((protocol) => {
        const why = whyTranscoded(device, protocol, settings.boot.codec.profile)
        return why === undefined ? [] : [{ protocol, why }]
      })
      return {
        stream_name: name,
        status: state,
        ...(reason === undefined ? {} : { reason }),
        readers: viewers,
        needed,
        codec: codec ?? noCodec,
        ...(run === undefined ? {} : { encoding: encodingView(run.making) })
      } satisfies TranscodeStatus as TranscodeStatus
    })

    return StreamRpcs.of({
      start_streaming: Effect.fnUntraced(function* ({ device }, { client }) {
        const known = yield* devices.get(yield* visible(device))
        const linger = Duration.toSeconds(liveNow(settings).streams.viewer_linger_seconds)
        const stream = yield* streams.start(known.id)
        return {
          ...base(known, client.id),
          status: "STARTED" as const,
          start_time: isoTime(stream.startedAt.wall),
          auto_close_after: `${linger}s`,
          ffmpeg_command: stream.run?.making.summary ?? ""
        }
      }),

      stop_streaming: Effect.fnUntraced(function* ({ device }, { client }) {
        const known = yield* devices.get(yield* visible(device))
        const camera = known.id
        const stream = streams.current(camera)
        if (stream === undefined) {
          return yield* new InvalidState({ state: "INACTIVE", allowed_states: ["ACTIVE", "STARTING", "ERROR"] })
        }
        const continues = yield* streams.release(camera)
        const now = yield* Clock.currentTimeMillis
        return {
          ...base(known, client.id),
          status: "STOPPED" as const,
          start_time: isoTime(stream.startedAt.wall),
          end_time: isoTime(now),
          duration: toSeconds(yield* millisSince(stream.startedAt)),
          stream_continues: continues
        }
      }),

      get_stream_url: Effect.fnUntraced(function* ({ device, signed }, { client }) {
        const known = yield* devices.get(yield* visible(device))
        const { id: camera, status: condition } = known
        const { hasPath, path, state, viewers } = yield* status.of(camera)
        const notReady = state === "ERROR" || condition === "ERROR" ? ("ERROR" as const) : ("NOT_READY" as const)
        return {
          ...base(known, client.id),
          ...(signed === true ? { signed_urls: yield* signedUrls(known, client.id) } : {}),
          available: hasPath && condition === "CONNECTED",
          active_consumers: viewers,
          stream_status: path?.ready === true ? ("READY" as const) : notReady
        }
      }),

      get_stream_status: Effect.fnUntraced(function* ({ device }) {
        const known = yield* devices.get(yield* visible(device))
        const camera = known.id
        const now = yield* status.of(camera)
        const { path, run } = now
        return {
          device: camera,
          stream_name: camera,
          status: now.state,
          ...(now.reason === undefined ? {} : { reason: now.reason }),
          ready: path?.ready ?? false,
          restarts: now.stream?.restarts ?? 0,
          ffmpeg_process: {
            running: run?.pid !== undefined,
            pid: run?.pid ?? 0,
            uptime: run?.pid === undefined ? 0 : toSeconds(yield* millisSince(run.startedAt))
          },
          mediamtx_path: { exists: now.hasPath, ready: path?.ready ?? false, readers: now.viewers },
          metrics: {
            bytes_sent: path?.bytesSent ?? 0,
            frames_sent: run?.published.frames ?? 0,
            bitrate: now.bitsPerSecond,
            fps: run?.published.fps ?? 0,
            ...(run?.delay === undefined ? {} : { delay_ms: Math.round(run.delay) })
          },
          codec: now.codec ?? noCodec,
          ...(run === undefined ? {} : { encoding: encodingView(run.making) }),
          ...(streamsOf(known).length > 1 ? { transcode: yield* transcodeView(known) } : {}),
          start_time: now.lastStart === undefined ? "" : isoTime(now.lastStart)
        }
      }),

      get_streams: Effect.fnUntraced(function* () {
        const session = yield* CurrentSession
        const shown = devices.list().filter(({ id }) => maySee(session, id))
        const all = yield* status.ofAll(shown.map(({ id }) => id))
        return shown.map(({ id, input }, i) => ({
          name: id,
          source: input.name,
          ready: all[i]?.path?.ready ?? false,
          readers: all[i]?.viewers ?? 0,
          bytes_sent: all[i]?.path?.bytesSent ?? 0
        }))
      })
    })
  })
)
