import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Semaphore from "effect/Semaphore"
import * as Stream from "effect/Stream"
import * as SubscriptionRef from "effect/SubscriptionRef"
import type { CameraId } from "../../schema/Camera.ts"
import { liveNow, Settings } from "../config/Settings.ts"
import type { Device } from "../device/Device.ts"
import { Devices } from "../device/Devices.ts"
import { faultOf } from "../device/Fault.ts"
import type { StreamedInput } from "../device/Input.ts"
import { Tcp } from "../ground/Tcp.ts"
import { now } from "../ground/Time.ts"
import { describeExit } from "../process/Child.ts"
import { Ffmpeg, type FfmpegProcess } from "../process/Ffmpeg.ts"
import { firstKeyframe } from "../rtsp/FirstKeyframe.ts"
import { directArguments } from "../source/FfmpegArguments.ts"
import { type Source, whyNoSource } from "../source/Source.ts"
import { Keyframes } from "../stream/Keyframes.ts"
import type { LiveStream } from "../stream/LiveStream.ts"
import { pictureReader } from "../stream/PictureReader.ts"
import type { Picture } from "../stream/Pictures.ts"
import { Sources } from "../stream/Sources.ts"
import { Streams } from "../stream/Streams.ts"
import { type Capture, noneInTime, NoPicture, placeOf } from "./Capture.ts"
import { makeShared } from "./Shared.ts"

/** A burst of pictures must not take the machine from the streams that run. */
const atOnce = 4

/**
 * Tier 3: MediaMTX or the stream fails, so the device itself is read until it has given a good picture: by one FFmpeg, or, where
 * it streams by itself, in one session.
 */
export class DirectCapture extends Context.Service<DirectCapture, Capture>()("camera-service/snapshot/DirectCapture") {
  static readonly layer = Layer.effect(
    DirectCapture,
    Effect.gen(function* () {
      const settings = yield* Settings
      const devices = yield* Devices
      const streams = yield* Streams
      const sources = yield* Sources
      const ffmpeg = yield* Ffmpeg
      const gate = yield* Semaphore.make(atOnce)
      const keyframes = yield* Keyframes
      const tcp = yield* Tcp

      /** captures that wait for their FFmpeg: where they are in the queue */
      const places = new Map<CameraId, number>()
      // its stream may wait there, and has the device meanwhile
      const late = (camera: CameraId) => noneInTime(places.get(camera) ?? placeOf(streams.current(camera)))

      /** From FFmpeg's start to its end; the picture is handed on as soon as it is there. */
      const readDevice = Effect.fnUntraced(function* (
        camera: CameraId,
        source: Source,
        found: (picture: Picture) => void
      ) {
        const queued = (place: number) =>
          Effect.sync(() => void (place > 0 ? places.set(camera, place) : places.delete(camera)))
        const process = yield* ffmpeg
          .start(directArguments(source), { urgency: "snapshot", queued })
          .pipe(Effect.mapError(({ detail }) => new NoPicture({ outcome: detail })))
        const picture = yield* firstGood(source, process)
        if (Option.isSome(picture)) return found(picture.value)
        return yield* new NoPicture({ outcome: describeExit("ffmpeg", yield* process.exit) })
      }, Effect.scoped)

      /** A camera that streams by itself: a session of our own, until its next keyframe. */
      const readStream = Effect.fnUntraced(
        function* ({ id }: Device, { rtsp }: StreamedInput, found: (picture: Picture) => void) {
          const keyframe = yield* firstKeyframe(tcp, yield* rtsp)
          const captured = yield* now
          yield* devices.recovered(id)
          const { jpeg_quality } = liveNow(settings).snapshots
          found(yield* keyframes.still(keyframe, captured, undefined, jpeg_quality).picture)
        },
        Effect.catchTag("FfmpegFailed", ({ detail }) => Effect.fail(new NoPicture({ outcome: detail }))),
        (effect, { id }) =>
          Effect.catchTag(effect, "RtspFailed", ({ detail, kind }) =>
            Effect.andThen(devices.fault(id, faultOf(kind, detail)), Effect.fail(new NoPicture({ outcome: detail })))
          )
      )

      const readingOf = (device: Device, found: (picture: Picture) => void) => {
        const { id, input } = device
        if ("rtsp" in input) {
          // it would be asked, and shown its password, once more for nothing
          const why = cameraFailure(streams.current(id))
          return why === undefined
            ? Effect.succeed(readStream(device, input, found))
            : Effect.fail(new NoPicture({ outcome: why }))
        }
        const source = sources.of(device)
        return source === undefined
          ? Effect.fail(new NoPicture({ outcome: whyNoSource(device) }))
          : Effect.succeed(readDevice(id, source, found))
      }

      const read = Effect.fn("DirectCapture.read")(function* (camera: CameraId, found: (picture: Picture) => void) {
        yield* Effect.annotateCurrentSpan("camera.id", camera)
        const device = yield* Effect.mapError(devices.get(camera), () => new NoPicture({ outcome: "no such camera" }))
        if (device.status === "DISCONNECTED") return yield* new NoPicture({ outcome: "the camera is away" })
        const limit = liveNow(settings).snapshots.direct_timeout_seconds
        const giveUp = Effect.suspend(() => Effect.fail(late(camera)))
        const stream = streams.current(camera)
        if (stream !== undefined && isHeld(stream)) {
          if (!("rtsp" in device.input)) {
            return yield* new NoPicture({ outcome: "the stream's FFmpeg holds the device" })
          }
          // a camera has one session of ours, and seconds between its keyframes
          return yield* nextOf(stream).pipe(
            Effect.timeoutOrElse({ duration: limit, orElse: () => giveUp }),
            Effect.map(found)
          )
        }
        const reading = yield* readingOf(device, found)
        yield* reading.pipe(
          Effect.timeoutOrElse({ duration: limit, orElse: () => giveUp }),
          gate.withPermit,
          // an FFmpeg of the stream's that failed may still be going
          streams.withDevice(camera),
          Effect.timeoutOrElse({ duration: limit, orElse: () => giveUp })
        )
      })

      return DirectCapture.of({
        tier: 3,
        name: "direct",
        late,
        capture: yield* makeShared((camera, found) =>
          Effect.ensuring(
            read(camera, found),
            Effect.sync(() => places.delete(camera))
          )
        )
      })
    })
  )
}

/** A stream that gives no picture though its FFmpeg runs: only one that failed will let go of the device. */
const isHeld = (stream: LiveStream): boolean =>
  stream.run !== undefined && !("reason" in SubscriptionRef.getUnsafe(stream.state))

const nextOf = ({ pictures }: LiveStream): Effect.Effect<Picture, NoPicture> =>
  Effect.flatMap(pictures.next, ({ picture }) =>
    Effect.mapError(picture, ({ detail }) => new NoPicture({ outcome: detail }))
  )

/** Why the camera itself gives its stream no frames, by the stream's last run. */
const cameraFailure = (stream: LiveStream | undefined): string | undefined => {
  const state = stream === undefined ? undefined : SubscriptionRef.getUnsafe(stream.state)
  return state?._tag === "Failing" && state.isCamera === true ? state.reason : undefined
}

/** The first picture that a warm camera gives; none where FFmpeg ends before. */
const firstGood = (source: Source, process: FfmpegProcess): Effect.Effect<Option.Option<Picture>, NoPicture> => {
  const read = pictureReader(source.input)
  return process.stdout.pipe(
    Stream.mapError(({ detail }) => new NoPicture({ outcome: detail })),
    Stream.mapEffect((chunk) => Effect.map(now, (moment) => read(chunk, moment).good)),
    Stream.flattenIterable,
    Stream.runHead
  )
}
