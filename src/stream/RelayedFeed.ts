import * as Context from "effect/Context"
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schedule from "effect/Schedule"
import * as SubscriptionRef from "effect/SubscriptionRef"
import type { CameraId } from "../../schema/Camera.ts"
import { Tickets } from "../auth/Tickets.ts"
import { liveNow, Settings } from "../config/Settings.ts"
import type { StreamedDevice } from "../device/Device.ts"
import { Devices } from "../device/Devices.ts"
import { faultOf } from "../device/Fault.ts"
import { Tcp } from "../ground/Tcp.ts"
import { type Moment, moments, monotonicMillis, now } from "../ground/Time.ts"
import type { Keyframe } from "../media/Keyframes.ts"
import type { HearKlv } from "../media/klv/RtpKlv.ts"
import { parameterSetsOf } from "../media/Sdp.ts"
import { nalsIn } from "../media/Sps.ts"
import { dial } from "../rtsp/Dialogue.ts"
import { firstKeyframe as playKeyframe } from "../rtsp/FirstKeyframe.ts"
import { publish } from "../rtsp/Publishing.ts"
import { makeReports } from "../rtsp/Reports.ts"
import { RtspFailed } from "../rtsp/RtspFailed.ts"
import { describe, play, type Track, worthHaving } from "../rtsp/Session.ts"
import { encodingOf } from "../source/Encoder.ts"
import { makingOfRelay } from "../source/Making.ts"
import { CameraTelemetry } from "./CameraTelemetry.ts"
import type { CameraFeed } from "./Feed.ts"
import { KeyframeRequests } from "./KeyframeRequests.ts"
import { KeyframeStills } from "./KeyframeStills.ts"
import type { Codec, LiveStream, Run } from "./LiveStream.ts"
import type { Picture, Still } from "./Pictures.ts"
import { rateMeter } from "./RateMeter.ts"
import { codecIn } from "./PublishedCodec.ts"
import { Publisher } from "./Publisher.ts"
import { makeRelay, type Relay } from "./Relay.ts"
import { beginRelayed, lacksKeyframe, noticeBFrames, notTaken } from "./RelayedRun.ts"
import { RunEnded } from "./RunEnded.ts"
import { makeStillness } from "./Stillness.ts"

const look = Duration.millis(250)
/** FFmpeg is at MediaMTX 0.2 s after its start; for one that waits for its turn nobody waits. */
const joinTime = Duration.millis(500)

/**
 * A camera in the network streams by itself: what it sends goes on to its path as it comes. A run is one session at the
 * camera and one at MediaMTX. MediaMTX could pull by itself, and would follow a redirect to anywhere with the password, hold
 * viewers for 10 s when a camera fails, and tell nobody why. What that costs, in ms of CPU a second for each Mbit/s (one
 * stream of 16 Mbit/s, and four): 0.9 and 0.7 in MediaMTX where it pulls; 0.8 and 0.6 where we publish, and 0.8 and 0.5 here.
 */
export class RelayedFeed extends Context.Service<
  RelayedFeed,
  {
    /** that of this camera, as the device is now */
    readonly of: (device: StreamedDevice) => CameraFeed
  }
>()("camera-service/stream/RelayedFeed") {
  static readonly layer = Layer.effect(
    RelayedFeed,
    Effect.gen(function* () {
      const settings = yield* Settings
      const devices = yield* Devices
      const tcp = yield* Tcp
      const tickets = yield* Tickets
      const publisher = yield* Publisher
      const keyframes = yield* KeyframeStills
      const requests = yield* KeyframeRequests
      const telemetry = yield* CameraTelemetry
      const stamp = yield* moments
      /** milliseconds between two keyframes, as last seen */
      const intervals = new Map<CameraId, number>()
      yield* devices.followForgotten((camera) => intervals.delete(camera))

      /** The other side: MediaMTX, which takes what the camera sends. */
      const publishAt = Effect.fnUntraced(function* (camera: CameraId, tracks: ReadonlyArray<Track>) {
        const ticket = yield* tickets.issue(camera, "publish")
        ticket.giveTo("anybody")
        return yield* publish(tcp, publisher.targetOf(camera, ticket.password), tracks)
      }, Effect.mapError(notTaken))

      /** Fails when the camera sends no video any more, or never began to. */
      const watch = Effect.fnUntraced(function* (run: Run, relay: Relay) {
        const measure = rateMeter(run)
        const stillness = makeStillness(yield* monotonicMillis)
        let looks = 0
        const check = Effect.gen(function* () {
          const time = yield* monotonicMillis
          const silent = stillness(relay.movedAt(), time, 0)
          // twice a second, as the meter has it
          if (looks++ % 2 === 0) measure(relay.pictures(), time)
          if (silent < Duration.toMillis(liveNow(settings).streams.stall_seconds)) return
          const detail = `no video for ${Math.round(silent / 1000)} s`
          return yield* new RtspFailed({ kind: "STALLED", detail })
        })
        return yield* Effect.repeat(check, Schedule.spaced(look)).pipe(Effect.andThen(Effect.never))
      })

      /** From the first packet to MediaMTX's word that it has the stream. */
      const announce = Effect.fn("RelayedFeed.announce")(function* (
        stream: LiveStream,
        started: Effect.Effect<void>,
        codec: Effect.Effect<Codec | undefined>
      ) {
        yield* Effect.annotateCurrentSpan("stream.name", stream.camera)
        yield* started
        yield* devices.recovered(stream.camera)
        yield* publisher.awaitTaken(stream.camera)
        const since = yield* now
        yield* stream.become({ _tag: "Ready", since })
        const known = yield* codec
        if (known === undefined) return
        yield* stream.become({ _tag: "Ready", since, codec: known })
        if (!known.conformant) yield* Effect.logWarning("the stream does not meet the profile", known)
      })

      /** Who is about to read the stream from its beginning does so by then: the keyframe after the first may be seconds away. */
      const awaitJoining = ({ joining, name }: LiveStream) =>
        joining.size === 0
          ? Effect.void
          : Effect.all([...joining], { concurrency: "unbounded" }).pipe(
              Effect.andThen(publisher.awaitReaders(name, joining.size)),
              Effect.timeoutOption(joinTime),
              Effect.asVoid
            )

      /** Hears what passes: keyframes are pictures at hand, and each of the others completes when it comes first. */
      const hear = Effect.fnUntraced(function* ({ camera, pictures }: LiveStream, jpegQuality: number) {
        const started = Deferred.makeUnsafe<void>()
        const stopped = Deferred.makeUnsafe<never, RunEnded | RtspFailed>()
        const firstKeyframe = Deferred.makeUnsafe<Keyframe>()
        const firstBFrame = Deferred.makeUnsafe<void>()
        /** when the last keyframe of this run came */
        let before: Moment | undefined
        const stillOf = keyframes.stills()
        let hearKlv: HearKlv | undefined
        const relay = makeRelay(stamp, {
          keyframe: (keyframe) => {
            Deferred.doneUnsafe(firstKeyframe, Effect.succeed(keyframe))
            const captured = stamp()
            if (before !== undefined) intervals.set(camera, Math.round(captured.monotonic - before.monotonic))
            before = captured
            pictures.put(stillOf(keyframe, captured, intervals.get(camera), jpegQuality))
          },
          klv: (unit) => hearKlv?.(unit),
          bFrame: () => void Deferred.doneUnsafe(firstBFrame, Effect.void),
          started: () => void Deferred.doneUnsafe(started, Effect.void),
          choked: () => {
            const reason = "MediaMTX does not take what the camera sends"
            Deferred.doneUnsafe(stopped, Effect.fail(new RunEnded({ reason, obstacle: "MEDIAMTX" })))
          },
          wrong: (detail) =>
            void Deferred.doneUnsafe(stopped, Effect.fail(new RtspFailed({ kind: "PROTOCOL", detail })))
        })
        hearKlv = yield* telemetry.listen(camera, relay.hasKlv)
        return { relay, started, stopped, firstKeyframe, firstBFrame }
      })

      const relayOnce = Effect.fnUntraced(function* (stream: LiveStream, device: StreamedDevice) {
        const { camera, pictures } = stream
        const encoding = encodingOf(settings.boot, liveNow(settings))
        const { firstBFrame, firstKeyframe, relay, started, stopped } = yield* hear(stream, encoding.jpegQuality)
        const target = yield* device.input.rtsp
        const reports = yield* makeReports
        const dialogue = yield* dial(tcp, target, {
          frame: (channel, bytes, start, end) => {
            reports.heard(channel, bytes, start + 4, end)
            return relay.frame(channel, bytes, start, end)
          },
          frames: relay.frames
        })
        const offer = yield* describe(dialogue, target)
        const wanted = yield* worthHaving(offer)
        const [video] = wanted
        if (video === undefined) return yield* Effect.die(new Error("nothing is worth having"))
        if (pictures.isAwaited()) yield* keyframes.prepare(video.encoding, encoding.jpegQuality)
        const run = yield* beginRelayed(stream, device, video, wanted)
        yield* Effect.forkScoped(Effect.andThen(Deferred.await(firstBFrame), noticeBFrames(stream, run, device)))
        const began = lacksKeyframe(Deferred.await(started), Deferred.await(firstKeyframe))
        yield* Effect.forkScoped(Effect.andThen(began, requests.ask(camera)))
        const published = Deferred.makeUnsafe<never, RunEnded>()
        yield* play(dialogue, offer, wanted, (tracks) =>
          Effect.gen(function* () {
            const { connection, ended } = yield* publishAt(camera, tracks)
            relay.to(connection, tracks)
            yield* reports.begin(dialogue.connection, tracks)
            yield* Effect.forkScoped(Deferred.into(Effect.mapError(ended, notTaken), published))
            yield* awaitJoining(stream)
          })
        )
        const codec = Effect.suspend(() => {
          const told = codecIn(video.encoding, parameterSetsOf(video), encoding)
          if (told !== undefined) return Effect.succeed(told)
          return Effect.map(Deferred.await(firstKeyframe), ({ bytes, codec }) =>
            codecIn(codec, nalsIn(bytes), encoding)
          )
        })
        const announced = Effect.andThen(announce(stream, Deferred.await(started), codec), Effect.never)
        const over = Effect.raceFirst(Deferred.await(stopped), Deferred.await(published))
        return yield* Effect.raceAllFirst([dialogue.ended, over, announced, watch(run, relay)])
      })

      /** A session of our own, until the next keyframe. */
      const playOnce = Effect.fnUntraced(function* ({ id, input }: StreamedDevice) {
        const keyframe = yield* playKeyframe(tcp, yield* input.rtsp)
        const captured = yield* now
        yield* devices.recovered(id)
        const { jpeg_quality } = liveNow(settings).snapshots
        return yield* pictureOf(keyframes.stills()(keyframe, captured, undefined, jpeg_quality))
      })

      /** What the camera did wrong is its fault from now on. */
      const blaming = <A, R>({ id }: StreamedDevice, run: Effect.Effect<A, RunEnded | RtspFailed, R>) =>
        Effect.catchTag(run, "RtspFailed", ({ detail, kind }) =>
          Effect.andThen(
            devices.fault(id, faultOf(kind, detail)),
            Effect.fail(new RunEnded({ reason: detail, obstacle: kind }))
          )
        )

      return RelayedFeed.of({
        of: (device) => ({
          runOnce: (stream) => blaming(device, relayOnce(stream, device)),
          making: () => makingOfRelay(device),
          // it would be asked, and shown its password, once more for nothing
          whyNoPicture: cameraFailure,
          picture: () => blaming(device, playOnce(device)),
          // a camera has one session of ours, and seconds between its keyframes
          pictureBeside: ({ pictures }) => Effect.flatMap(pictures.next, pictureOf)
        })
      })
    })
  )
}

const pictureOf = ({ picture }: Still): Effect.Effect<Picture, RunEnded> =>
  Effect.mapError(picture, ({ detail }) => new RunEnded({ reason: detail }))

/** Why the camera itself gives its stream no frames, by the stream's last run. */
const cameraFailure = (stream: LiveStream | undefined): string | undefined => {
  const state = stream === undefined ? undefined : SubscriptionRef.getUnsafe(stream.state)
  return state?._tag === "Failing" && state.isCamera === true ? state.reason : undefined
}
