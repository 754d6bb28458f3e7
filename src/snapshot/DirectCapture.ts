import * as Context from "effect/Context"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Semaphore from "effect/Semaphore"
import * as Stream from "effect/Stream"
import * as SubscriptionRef from "effect/SubscriptionRef"
import type { CameraId } from "../../schema/Camera.ts"
import { liveNow, Settings } from "../config/Settings.ts"
import { Devices } from "../device/Devices.ts"
import { now } from "../ground/Time.ts"
import { describeExit } from "../process/Child.ts"
import { Ffmpeg, type FfmpegProcess } from "../process/Ffmpeg.ts"
import { directArguments } from "../source/FfmpegArguments.ts"
import { type Source, whyNoSource } from "../source/Source.ts"
import type { LiveStream } from "../stream/LiveStream.ts"
import { pictureReader } from "../stream/PictureReader.ts"
import type { Picture } from "../stream/Pictures.ts"
import { Sources } from "../stream/Sources.ts"
import { Streams } from "../stream/Streams.ts"
import { type Capture, noneInTime, NoPicture, placeOf } from "./Capture.ts"

/** A burst of pictures must not take the machine from the streams that run. */
const atOnce = 4

/** Tier 3: MediaMTX or the stream fails, so one FFmpeg reads the device itself until it has given a good picture. */
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
      const layerScope = yield* Effect.scope
      /** captures that run: whoever comes meanwhile waits for the same picture */
      const running = new Map<CameraId, Deferred.Deferred<Picture, NoPicture>>()

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

      const read = Effect.fn("DirectCapture.read")(function* (camera: CameraId, found: (picture: Picture) => void) {
        yield* Effect.annotateCurrentSpan("camera.id", camera)
        const device = yield* Effect.mapError(devices.get(camera), () => new NoPicture({ outcome: "no such camera" }))
        if (device.status === "DISCONNECTED") return yield* new NoPicture({ outcome: "the camera is away" })
        if (isHeld(streams.current(camera))) {
          return yield* new NoPicture({ outcome: "the stream's FFmpeg holds the device" })
        }
        const source = sources.of(device)
        if (source === undefined) return yield* new NoPicture({ outcome: whyNoSource(device) })
        const limit = liveNow(settings).snapshots.direct_timeout_seconds
        yield* readDevice(camera, source, found).pipe(
          Effect.timeoutOrElse({
            duration: limit,
            orElse: () => Effect.fail(late(camera))
          }),
          gate.withPermit,
          // an FFmpeg of the stream's that failed may still be going
          streams.withDevice(camera),
          Effect.timeoutOrElse({
            duration: limit,
            orElse: () => Effect.fail(late(camera))
          })
        )
      })

      /** Nobody's own: who gives up, or has no time to see FFmpeg's end, takes the picture from nobody else. */
      const share = (camera: CameraId) =>
        Effect.suspend(() => {
          const shared = running.get(camera)
          if (shared !== undefined) return Deferred.await(shared)
          const mine = Deferred.makeUnsafe<Picture, NoPicture>()
          running.set(camera, mine)
          const done = (result: Exit.Exit<Picture, NoPicture>): void => {
            if (running.get(camera) === mine) running.delete(camera)
            Deferred.doneUnsafe(mine, result)
          }
          const reading = read(camera, (picture) => done(Exit.succeed(picture))).pipe(
            Effect.ensuring(Effect.sync(() => places.delete(camera))),
            Effect.onError((cause) => Effect.sync(() => done(Exit.failCause(cause))))
          )
          return Effect.andThen(Effect.forkIn(reading, layerScope), Deferred.await(mine))
        })

      return DirectCapture.of({
        tier: 3,
        name: "direct",
        late,
        capture: ({ camera, notBefore }) =>
          share(camera).pipe(
            // a capture that was under way may show a moment before the call: then once more, for this call
            Effect.repeat({ until: (picture) => picture.captured.monotonic >= notBefore })
          )
      })
    })
  )
}

/** A stream that gives no picture though its FFmpeg runs: only one that failed will let go of the device. */
const isHeld = (stream: LiveStream | undefined): boolean =>
  stream?.run !== undefined && !("reason" in SubscriptionRef.getUnsafe(stream.state))

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
