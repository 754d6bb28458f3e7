import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import * as Schedule from "effect/Schedule"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import type * as Semaphore from "effect/Semaphore"
import * as Stream from "effect/Stream"
import * as SubscriptionRef from "effect/SubscriptionRef"
import type { CameraId } from "../../schema/Camera.ts"
import { PublishTickets } from "../auth/PublishTickets.ts"
import { Settings } from "../config/Settings.ts"
import type { Device } from "../device/Device.ts"
import { Devices } from "../device/Devices.ts"
import { describeExit } from "../process/Child.ts"
import { Ffmpeg, type FfmpegFailed, type FfmpegProcess } from "../process/Ffmpeg.ts"
import { MediaMtx } from "../process/MediaMtx.ts"
import { MediaMtxApi } from "../process/MediaMtxApi.ts"
import { describe, spsOf } from "../process/RtspDescribe.ts"
import { publishArguments } from "../source/FfmpegArguments.ts"
import { conforms } from "../source/Profile.ts"
import { planSource, type Source } from "../source/Source.ts"
import { parseSps, profileName } from "../source/Sps.ts"
import { jpegSize, splitter } from "./Jpeg.ts"
import type { Codec, LiveStream } from "./LiveStream.ts"
import { Paths } from "./Paths.ts"
import { rateMeter } from "./RateMeter.ts"

/** FFmpeg ended, or gave nothing, while its stream was needed. */
export class PublisherEnded extends Schema.TaggedError<PublisherEnded>()("PublisherEnded", {
  reason: Schema.String,
  /** MediaMTX did not answer it: the next one will not fare better */
  unheard: Schema.optionalKey(Schema.Boolean)
}) {}

/** How often MediaMTX is asked whether it has the stream, once FFmpeg has shown its ticket. */
const readyPoll = Duration.millis(10)
const stallPoll = Duration.millis(250)
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
      const ffmpeg = yield* Ffmpeg
      const tickets = yield* PublishTickets
      const mediaMtx = yield* MediaMtx
      const api = yield* MediaMtxApi
      const paths = yield* Paths
      const { host, rtsp_port: port } = settings.mediamtx
      const rtspHost = loopbackOf(host)
      const encoding = {
        profile: settings.codec.profile,
        bitrateKbps: settings.codec.bitrate_kbps,
        jpegQuality: settings.snapshots.jpeg_quality
      }

      const collectPictures = (stream: LiveStream, process: FfmpegProcess) => {
        const { push } = splitter()
        return Stream.runForEach(process.stdout, (chunk) =>
          Effect.map(Clock.currentTimeMillis, (capturedAt) => {
            for (const jpeg of push(chunk)) {
              const size = jpegSize(jpeg)
              if (size !== undefined) stream.pictures.put({ jpeg, ...size, capturedAt })
            }
          })
        )
      }

      /** Fails when the count of written frames stands still: a camera that froze leaves FFmpeg waiting for ever. */
      const watchForStall = Effect.fnUntraced(function* (stream: LiveStream, process: FfmpegProcess) {
        let frames = 0
        let movedAt = yield* Clock.currentTimeMillis
        const published = rateMeter(stream)
        yield* Effect.forkScoped(
          Stream.runForEach(process.progress, (progress) =>
            Effect.map(Clock.currentTimeMillis, (now) => {
              published(progress, now)
              if (progress.frame > frames) movedAt = now
              frames = progress.frame
            })
          )
        )
        const check = Effect.gen(function* () {
          const still = (yield* Clock.currentTimeMillis) - movedAt
          const { stall_seconds: stall, start_timeout_seconds: start } = settings.streams
          const limit = Duration.toMillis(frames > 0 ? stall : Duration.max(stall, start))
          if (still > limit) return yield* new PublisherEnded({ reason: `no frame for ${Math.round(still / 1000)} s` })
        })
        return yield* Effect.repeat(check, Schedule.spaced(stallPoll)).pipe(Effect.andThen(Effect.never))
      })

      /** Fails when FFmpeg has not reached MediaMTX for long, and MediaMTX answers nobody else either. */
      const watchForHang = (camera: CameraId, redeemed: Effect.Effect<void>) => {
        const hangs = new PublisherEnded({ reason: "MediaMTX does not answer", unheard: true })
        const ask = Effect.timeout(api.getPath(camera), hangTime)
        return Effect.timeout(redeemed, ticketTime).pipe(
          Effect.catch(() => Effect.mapError(ask, () => hangs)),
          Effect.andThen(Effect.never)
        )
      }

      const readCodec = Effect.fnUntraced(function* (camera: CameraId) {
        const ticket = yield* tickets.issue(camera, "read")
        const sdp = yield* describe({ host: rtspHost, port, path: camera, ...ticket })
        const nal = spsOf(sdp)
        if (nal === undefined) return undefined
        const sps = parseSps(nal)
        return {
          profile: profileName(sps),
          level: (sps.levelIdc / 10).toFixed(1),
          width: sps.width,
          height: sps.height,
          conformant: conforms(encoding.profile, sps)
        } satisfies Codec
      }, Effect.scoped)

      /** From FFmpeg's ticket to MediaMTX's word that it has the stream. */
      const announce = Effect.fn("Publisher.announce")(function* (stream: LiveStream, redeemed: Effect.Effect<void>) {
        yield* Effect.annotateCurrentSpan("stream.name", stream.camera)
        yield* redeemed
        const path = api.getPath(stream.camera)
        yield* path.pipe(
          Effect.map((state) => Option.isSome(state) && state.value.ready),
          Effect.orElseSucceed(() => false),
          Effect.repeat({ until: (ready) => ready, schedule: Schedule.spaced(readyPoll) })
        )
        stream.now.readySince = yield* Clock.currentTimeMillis
        yield* SubscriptionRef.set(stream.state, { _tag: "Ready" as const })
        const codec = yield* Effect.result(readCodec(stream.camera))
        if (Result.isFailure(codec)) {
          yield* Effect.logWarning("the stream's SPS could not be read", codec.failure)
        } else if (codec.success !== undefined) {
          stream.now.codec = codec.success
          if (!codec.success.conformant) yield* Effect.logWarning("the stream does not meet the profile", codec.success)
        }
      })

      const planned = (device: Device): Effect.Effect<Source, PublisherEnded> => {
        const source = planSource(device, encoding)
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
              delete stream.now.published
              delete stream.now.readySince
              delete stream.now.codec
            })
          )
          const ended = Effect.flatMap(process.exit, (exit) =>
            Effect.fail(new PublisherEnded({ reason: describeExit("ffmpeg", exit) }))
          )
          // what stands on standard output after the end is read to its end too; the exit tells more than the pipe
          yield* Effect.forkScoped(Effect.ignoreCause(collectPictures(stream, process), { log: "Warn" }))
          yield* Effect.forkScoped(announce(stream, ticket.redeemed))
          const hang = watchForHang(camera, ticket.redeemed)
          return yield* Effect.raceAllFirst([ended, hang, watchForStall(stream, process)])
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

      const run = (stream: LiveStream, device: Semaphore.Semaphore): Effect.Effect<never> =>
        awaitPossible(stream.camera).pipe(
          Effect.andThen(device.withPermit(runOnce(stream))),
          Effect.catch(() => Effect.suspend(() => Effect.sleep(pauseAfter(stream.now.failures)))),
          Effect.forever,
          Effect.annotateLogs({ "camera.id": stream.camera })
        )

      return Publisher.of({ runOnce, run })
    })
  )
}

/** Told before FFmpeg's end is waited for: one that froze may take seconds to go. */
const noteFailure = <A>(
  run: Effect.Effect<A, PublisherEnded | FfmpegFailed, Scope.Scope>,
  stream: LiveStream
): Effect.Effect<A, PublisherEnded | FfmpegFailed, Scope.Scope> =>
  Effect.tapError(run, (error) =>
    Effect.gen(function* () {
      const reason = error._tag === "PublisherEnded" ? error.reason : error.detail
      // one that ran well before it ended is not a failure in a row
      const wasReady = SubscriptionRef.getUnsafe(stream.state)._tag === "Ready"
      stream.now.failures = wasReady ? 1 : stream.now.failures + 1
      stream.now.restarts++
      const isFailing = stream.now.failures > 1 || (error._tag === "PublisherEnded" && error.unheard === true)
      yield* SubscriptionRef.set(stream.state, {
        _tag: isFailing ? ("Failing" as const) : ("Starting" as const),
        reason
      })
      yield* Effect.logWarning("the stream's FFmpeg ended", reason)
    })
  )

/** A quarter of a second after the first failure, twice as long after each more, 10 s at most; a fifth of it by chance. */
const pauseAfter = (failures: number): Duration.Duration =>
  Duration.millis(Math.min(10_000, 125 * 2 ** failures) * (0.9 + Math.random() * 0.2))

/** Where our own FFmpeg reaches a MediaMTX that listens on this address. */
const loopbackOf = (host: string): string => (host === "0.0.0.0" || host === "::" || host === "" ? "127.0.0.1" : host)
