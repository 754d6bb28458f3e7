import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import * as Schedule from "effect/Schedule"
import * as Stream from "effect/Stream"
import * as SubscriptionRef from "effect/SubscriptionRef"
import type { CameraId } from "../../schema/Camera.ts"
import { Tickets } from "../auth/Tickets.ts"
import { authority, reachableHere } from "../config/Hosts.ts"
import { Settings } from "../config/Settings.ts"
import type { Device } from "../device/Device.ts"
import type { Complaint } from "../device/Input.ts"
import { Loopback } from "../ground/Loopback.ts"
import { now } from "../ground/Time.ts"
import { spsOf } from "../media/Sdp.ts"
import { describeExit } from "../process/Child.ts"
import { Ffmpeg, type FfmpegProcess } from "../process/Ffmpeg.ts"
import { placeText } from "../process/Gate.ts"
import { MediaMtx } from "../process/MediaMtx.ts"
import { awaitTrouble } from "../process/MediaMtxTrouble.ts"
import { MediaMtxApi } from "../process/MediaMtxApi.ts"
import { describe } from "../process/RtspDescribe.ts"
import type { Encoding } from "../source/Encoder.ts"
import { publishArguments } from "../source/FfmpegArguments.ts"
import { type Source, whyNoSource } from "../source/Source.ts"
import { CameraHealth } from "./CameraHealth.ts"
import type { Feed } from "./Feed.ts"
import type { LiveStream, Run, StreamState } from "./LiveStream.ts"
import { pictureReader } from "./PictureReader.ts"
import { stillOf } from "./Pictures.ts"
import { codecOf } from "./PublishedCodec.ts"
import { RunEnded } from "./RunEnded.ts"
import { Sources } from "./Sources.ts"

/** How often MediaMTX is asked whether it has the stream, once FFmpeg has shown its ticket. */
const readyPoll = Duration.millis(10)
/** How often it is asked for a stream's SPS. */
const headerPoll = Duration.millis(100)
/** FFmpeg shows its ticket 0.2 s after its start; one that has not by now waits for its camera, or for MediaMTX. */
const ticketTime = Duration.seconds(2)

/** What a camera's complaint means for the one who waits for its stream. */
const obstacleIn = ({ kind }: Complaint): Pick<RunEnded, "obstacle"> => {
  if (kind === "FROZEN" || kind === "WRONG_DATA" || kind === "UNRESPONSIVE") return {}
  return { obstacle: kind === "GONE" ? "UNPLUGGED" : kind }
}

const queuedAt = (place: number): StreamState => {
  if (place === 0) return { _tag: "Starting" }
  return { _tag: "Starting", reason: placeText(place), place }
}

/** Our FFmpeg reads the camera and publishes to its path; a run is one FFmpeg. */
export class PublishedFeed extends Context.Service<PublishedFeed, Feed>()("camera-service/stream/PublishedFeed") {
  static readonly layer = Layer.effect(
    PublishedFeed,
    Effect.gen(function* () {
      const settings = yield* Settings
      const health = yield* CameraHealth
      const ffmpeg = yield* Ffmpeg
      const tickets = yield* Tickets
      const loopback = yield* Loopback
      const api = yield* MediaMtxApi
      const mediaMtx = yield* MediaMtx
      const sources = yield* Sources
      const { host, rtsp_port: port } = settings.boot.mediamtx
      const rtspHost = reachableHere(host)

      const collectPictures = ({ pictures }: LiveStream, run: Run, source: Source, process: FfmpegProcess) => {
        const read = pictureReader(source.input)
        return Stream.runForEach(process.stdout, (chunk) =>
          Effect.map(now, (moment) => {
            const { came, good } = read(chunk, moment)
            if (came) run.pictureAt = moment.monotonic
            for (const picture of good) pictures.put(stillOf(picture))
          })
        )
      }

      /** Fails when FFmpeg has not reached MediaMTX for long, and MediaMTX answers nobody else either. */
      const watchForHang = Effect.fnUntraced(function* (redeemed: Effect.Effect<void>) {
        const shown = yield* Effect.timeoutOption(redeemed, ticketTime)
        if (Option.isSome(shown)) return yield* Effect.never
        const reason = yield* awaitTrouble(mediaMtx, api)
        return yield* new RunEnded({ reason, obstacle: "MEDIAMTX" })
      })

      const readCodec = Effect.fnUntraced(
        function* (camera: CameraId, encoding: Encoding) {
          const ticket = yield* tickets.issue(camera, "read")
          const nal = spsOf(yield* describe(loopback, { host: rtspHost, port, path: camera, ...ticket }))
          return nal === undefined ? undefined : codecOf(nal, encoding)
        },
        Effect.scoped,
        // an encoder that gives no headers beforehand has them in its first keyframe, where MediaMTX finds them
        Effect.repeat({ until: (codec) => codec !== undefined, schedule: Schedule.spaced(headerPoll), times: 20 })
      )

      /**
       * From FFmpeg's ticket to MediaMTX's word that it has the stream. Fails when a camera's own H.264 is not what the
       * profile asks for, which only its bit stream tells; until then nobody is told that it is ready.
       */
      const announce = Effect.fn("PublishedFeed.announce")(function* (
        stream: LiveStream,
        source: Source,
        redeemed: Effect.Effect<void>
      ) {
        yield* Effect.annotateCurrentSpan("stream.name", stream.camera)
        yield* redeemed
        const path = api.getPath(stream.camera)
        yield* path.pipe(
          Effect.map((state) => Option.isSome(state) && state.value.ready),
          Effect.orElseSucceed(() => false),
          Effect.repeat({ until: (ready) => ready, schedule: Schedule.spaced(readyPoll) })
        )
        const since = yield* now
        const isCopied = source.encoder.name === "copy"
        if (!isCopied) yield* stream.become({ _tag: "Ready", since })
        const result = yield* Effect.result(readCodec(stream.camera, source.encoding))
        const codec = Result.getOrUndefined(result)
        if (codec === undefined) yield* Effect.logWarning("the stream's SPS could not be read", result)
        if (codec?.conformant === false) {
          yield* Effect.logWarning("the stream does not meet the profile", codec)
          if (isCopied) {
            const reason = `the camera's own H.264 does not meet the profile: it is ${codec.profile} ${codec.level}`
            yield* sources.avoid(stream.camera, "H264", reason)
            return yield* new RunEnded({ reason })
          }
        }
        yield* stream.become({ _tag: "Ready", since, ...(codec === undefined ? {} : { codec }) })
      })

      const sourceOf = (device: Device): Effect.Effect<Source, RunEnded> => {
        const source = sources.of(device)
        return source === undefined
          ? Effect.fail(new RunEnded({ reason: whyNoSource(device) }))
          : Effect.succeed(source)
      }

      // no span of its own: it would end with the stream, hours later, and its children be orphans until then
      const runOnce = Effect.fnUntraced(function* (stream: LiveStream, device: Device) {
        const { camera } = stream
        const source = yield* sourceOf(device)
        const ticket = yield* tickets.issue(camera, "publish")
        // shown at once: FFmpeg gives a user's password only when it was refused, which costs 45 ms (Nagle and a late ACK)
        const target = `rtsp://${authority(rtspHost, port)}/${camera}?token=${ticket.password}`
        const process = yield* Effect.mapError(
          ffmpeg.start(publishArguments(source, target), {
            urgency: "stream",
            queued: (place) => stream.become(queuedAt(place))
          }),
          ({ detail }) => new RunEnded({ reason: detail })
        )
        ticket.giveTo(process.pid)
        const run: Run = {
          making: source,
          pid: process.pid,
          startedAt: yield* now,
          published: { frames: 0, fps: 0 },
          pictureAt: undefined
        }
        yield* Effect.acquireRelease(
          Effect.sync(() => (stream.run = run)),
          () => Effect.sync(() => (stream.run = undefined))
        )
        const ended = Effect.gen(function* () {
          const exit = yield* process.exit
          const complaint = yield* health.ended(device, source.input, exit.stderr)
          if (complaint === undefined) return yield* new RunEnded({ reason: describeExit("ffmpeg", exit) })
          return yield* new RunEnded({ reason: complaint.detail, ...obstacleIn(complaint) })
        })
        // what stands on standard output after the end is read to its end too; the exit tells more than the pipe
        yield* Effect.forkScoped(Effect.ignoreCause(collectPictures(stream, run, source, process), { log: "Warn" }))
        const unfit = Effect.andThen(announce(stream, source, ticket.redeemed), Effect.never)
        const hang = watchForHang(ticket.redeemed)
        return yield* Effect.raceAllFirst([ended, unfit, hang, health.watch(stream, run, source, process)]).pipe(
          Effect.tapError(({ obstacle, silence }) => {
            // once may be a shaken cable
            if (silence === "WRONG_DATA" && stream.failuresInARow > 0) {
              return sources.avoid(camera, source.pixelFormat, `its ${source.pixelFormat} frames were no pictures`)
            }
            return Effect.sync(() => {
              const wasReady = SubscriptionRef.getUnsafe(stream.state)._tag === "Ready"
              if (!wasReady && obstacle === undefined) sources.failedToStart(camera, source)
            })
          })
        )
      })

      return PublishedFeed.of({ runOnce })
    })
  )
}
