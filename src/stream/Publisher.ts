import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import * as Schedule from "effect/Schedule"
import type * as Semaphore from "effect/Semaphore"
import * as Stream from "effect/Stream"
import * as SubscriptionRef from "effect/SubscriptionRef"
import type { CameraId } from "../../schema/Camera.ts"
import { PublishTickets } from "../auth/PublishTickets.ts"
import { Settings } from "../config/Settings.ts"
import type { Device } from "../device/Device.ts"
import { Devices } from "../device/Devices.ts"
import { spsOf } from "../media/Sdp.ts"
import { describeExit } from "../process/Child.ts"
import { Ffmpeg, type FfmpegFailed, type FfmpegProcess } from "../process/Ffmpeg.ts"
import { MediaMtx } from "../process/MediaMtx.ts"
import { MediaMtxApi } from "../process/MediaMtxApi.ts"
import { describe } from "../process/RtspDescribe.ts"
import { publishArguments } from "../source/FfmpegArguments.ts"
import type { Source } from "../source/Source.ts"
import { CameraHealth } from "./CameraHealth.ts"
import { lastingOf, noteFailure, pause } from "./Failures.ts"
import type { LiveStream } from "./LiveStream.ts"
import { Paths } from "./Paths.ts"
import { pictureReader } from "./PictureReader.ts"
import { Plans } from "./Plans.ts"
import { codecOf } from "./PublishedCodec.ts"
import { PublisherEnded } from "./PublisherEnded.ts"

/** How often MediaMTX is asked whether it has the stream, once FFmpeg has shown its ticket. */
const readyPoll = Duration.millis(10)
/** How often it is asked for a stream's SPS. */
const headerPoll = Duration.millis(100)
/** FFmpeg shows its ticket 0.2 s after its start; one that has not by now waits for its camera, or for MediaMTX. */
const ticketTime = Duration.seconds(2)
/** MediaMTX's API answers within milliseconds. */
const hangTime = Duration.seconds(1)

/** Starts FFmpeg to publish a camera, notices when it ends or freezes, and starts it again. */
export class Publisher extends Context.Service<
  Publisher,
  {
    /** one FFmpeg, from its start to its end; never succeeds: a publisher that ends has failed */
    readonly runOnce: (stream: LiveStream) => Effect.Effect<never, PublisherEnded | FfmpegFailed>
    /** `runOnce`, each time with the device's permit, for as long as the stream is needed; pauses grow between failures */
    readonly run: (stream: LiveStream, device: Semaphore.Semaphore) => Effect.Effect<never>
  }
>()("camera-service/stream/Publisher") {
  static readonly layer = Layer.effect(
    Publisher,
    Effect.gen(function* () {
      const settings = yield* Settings
      const devices = yield* Devices
      const health = yield* CameraHealth
      const ffmpeg = yield* Ffmpeg
      const tickets = yield* PublishTickets
      const mediaMtx = yield* MediaMtx
      const api = yield* MediaMtxApi
      const paths = yield* Paths
      const plans = yield* Plans
      const { host, rtsp_port: port } = settings.mediamtx
      const rtspHost = loopbackOf(host)

      const collectPictures = (stream: LiveStream, { kind }: Source, process: FfmpegProcess) => {
        const read = pictureReader(kind)
        return Stream.runForEach(process.stdout, (chunk) =>
          Effect.map(Clock.currentTimeMillis, (now) => {
            const { came, good } = read(chunk, now)
            if (came) stream.now.pictureAt = now
            for (const picture of good) stream.pictures.put(picture)
          })
        )
      }

      /** Fails when FFmpeg has not reached MediaMTX for long, and MediaMTX answers nobody else either. */
      const watchForHang = (camera: CameraId, redeemed: Effect.Effect<void>) => {
        const hangs = new PublisherEnded({ reason: "MediaMTX does not answer", lasting: "UNHEARD" })
        const ask = Effect.timeout(api.getPath(camera), hangTime)
        return Effect.timeout(redeemed, ticketTime).pipe(
          Effect.catch(() => Effect.mapError(ask, () => hangs)),
          Effect.andThen(Effect.never)
        )
      }

      const readCodec = Effect.fnUntraced(
        function* (camera: CameraId) {
          const ticket = yield* tickets.issue(camera, "read")
          const nal = spsOf(yield* describe({ host: rtspHost, port, path: camera, ...ticket }))
          return nal === undefined ? undefined : codecOf(nal, plans.encoding)
        },
        Effect.scoped,
        // an encoder that gives no headers beforehand has them in its first keyframe, where MediaMTX finds them
        Effect.repeat({ until: (codec) => codec !== undefined, schedule: Schedule.spaced(headerPoll), times: 20 })
      )

      /**
       * From FFmpeg's ticket to MediaMTX's word that it has the stream. Fails when a camera's own H.264 is not what the
       * profile asks for, which only its bit stream tells; until then nobody is told that it is ready.
       */
      const announce = Effect.fn("Publisher.announce")(function* (
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
        stream.now.readySince = yield* Clock.currentTimeMillis
        const ready = SubscriptionRef.set(stream.state, { _tag: "Ready" as const })
        const isCopied = source.encoder.name === "copy"
        if (!isCopied) yield* ready
        const result = yield* Effect.result(readCodec(stream.camera))
        const codec = Result.getOrUndefined(result)
        if (codec === undefined) yield* Effect.logWarning("the stream's SPS could not be read", result)
        else stream.now.codec = codec
        if (codec?.conformant === false) {
          yield* Effect.logWarning("the stream does not meet the profile", codec)
          if (isCopied) {
            const reason = `the camera's own H.264 does not meet the profile: it is ${codec.profile} ${codec.level}`
            yield* plans.avoid(stream.camera, "H264", reason)
            return yield* new PublisherEnded({ reason })
          }
        }
        if (isCopied) yield* ready
      })

      const planned = (device: Device): Effect.Effect<Source, PublisherEnded> => {
        const source = plans.of(device)
        return source === undefined
          ? Effect.fail(new PublisherEnded({ reason: "the camera delivers no format that can be read" }))
          : Effect.succeed(source)
      }

      // no span of its own: it would end with the stream, hours later, and its children be orphans until then
      const runOnce = Effect.fnUntraced(
        function* (stream: LiveStream) {
          const { camera } = stream
          const device = yield* Effect.mapError(
            devices.get(camera),
            () => new PublisherEnded({ reason: "the camera is not known" })
          )
          const source = yield* planned(device)
          const ticket = yield* tickets.issue(camera, "publish")
          const target = `rtsp://${ticket.user}:${ticket.password}@${rtspHost}:${port}/${camera}`
          stream.now.source = source
          const process = yield* ffmpeg.start(publishArguments(source, target))
          stream.now.running = { pid: process.pid, startedAt: process.startedAt }
          yield* Effect.addFinalizer(() =>
            Effect.sync(() => {
              delete stream.now.running
              delete stream.now.pictureAt
              delete stream.now.published
              delete stream.now.readySince
              delete stream.now.codec
            })
          )
          const ended = Effect.gen(function* () {
            const exit = yield* process.exit
            const complaint = yield* health.ended(device, exit.stderr)
            if (complaint === undefined) return yield* new PublisherEnded({ reason: describeExit("ffmpeg", exit) })
            return yield* new PublisherEnded({ reason: complaint.detail, ...lastingOf(complaint) })
          })
          // what stands on standard output after the end is read to its end too; the exit tells more than the pipe
          yield* Effect.forkScoped(Effect.ignoreCause(collectPictures(stream, source, process), { log: "Warn" }))
          const unfit = Effect.andThen(announce(stream, source, ticket.redeemed), Effect.never)
          const hang = watchForHang(camera, ticket.redeemed)
          return yield* Effect.raceAllFirst([ended, unfit, hang, health.watch(stream, device, process)]).pipe(
            Effect.tapError(({ isGarbage, lasting }) => {
              // once may be a shaken cable
              if (isGarbage === true && stream.now.failures > 0) {
                return plans.avoid(camera, source.pixelFormat, `its ${source.pixelFormat} frames were no pictures`)
              }
              return Effect.sync(() => {
                if (stream.now.readySince === undefined && lasting === undefined) plans.failedToStart(camera, source)
              })
            })
          )
        },
        noteFailure,
        Effect.scoped
      )

      /** Nothing is tried while the camera is away or MediaMTX is down: both tell when they are back. */
      const awaitPossible = (camera: CameraId): Effect.Effect<void> => {
        const connected = devices.changes.pipe(
          Stream.filter(({ id, status }) => id === camera && status !== "DISCONNECTED"),
          Stream.runHead
        )
        const running = SubscriptionRef.changes(mediaMtx.state).pipe(
          Stream.filter(({ _tag }) => _tag === "Running"),
          Stream.runHead
        )
        return Effect.andThen(connected, Effect.andThen(running, paths.awaitPath(camera)))
      }

      /** A camera that is told to work again is not kept waiting. */
      const recovery = (camera: CameraId): Effect.Effect<void> =>
        devices.changes.pipe(
          Stream.filter(({ id }) => id === camera),
          Stream.dropWhile(({ status }) => status === "CONNECTED"),
          Stream.filter(({ status }) => status === "CONNECTED"),
          Stream.runHead,
          Effect.asVoid
        )

      /** What the camera was to blame for is over, for all that is known: who comes now is to wait for this attempt. */
      const tryAnew = (stream: LiveStream) =>
        SubscriptionRef.update(stream.state, (state) =>
          state._tag === "Failing" && state.isCamera === true
            ? { _tag: "Starting" as const, reason: state.reason }
            : state
        )

      const run = (stream: LiveStream, device: Semaphore.Semaphore): Effect.Effect<never> =>
        awaitPossible(stream.camera).pipe(
          Effect.andThen(tryAnew(stream)),
          Effect.andThen(device.withPermit(runOnce(stream))),
          Effect.catch((error) => Effect.raceFirst(pause(stream, error), recovery(stream.camera))),
          Effect.forever,
          Effect.annotateLogs({ "camera.id": stream.camera })
        )

      return Publisher.of({ runOnce, run })
    })
  )
}

/** Where our own FFmpeg reaches a MediaMTX that listens on this address. */
const loopbackOf = (host: string): string => (host === "0.0.0.0" || host === "::" || host === "" ? "127.0.0.1" : host)
