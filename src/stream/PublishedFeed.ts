import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import * as SubscriptionRef from "effect/SubscriptionRef"
import type { ReadDevice } from "../device/Device.ts"
import type { Complaint } from "../device/Input.ts"
import { now } from "../ground/Time.ts"
import { describeExit } from "../process/Child.ts"
import { Ffmpeg, type FfmpegProcess } from "../process/Ffmpeg.ts"
import type { FfmpegFailed } from "../process/FfmpegFailed.ts"
import { directArguments, publishArguments } from "../source/FfmpegArguments.ts"
import { type Source, whyNoSource } from "../source/Source.ts"
import { CameraHealth } from "./CameraHealth.ts"
import type { CameraFeed } from "./Feed.ts"
import { isRefused, whyEnded } from "./FfmpegEnd.ts"
import type { LiveStream, Run } from "./LiveStream.ts"
import { pictureReader } from "./PictureReader.ts"
import { type Picture, stillOf } from "./Pictures.ts"
import { Publisher } from "./Publisher.ts"
import { RunEnded } from "./RunEnded.ts"
import { Sources } from "./Sources.ts"

/** What a camera's complaint means for the one who waits for its stream. */
const obstacleIn = ({ kind }: Complaint): Pick<RunEnded, "obstacle"> => {
  if (kind === "FROZEN" || kind === "WRONG_DATA" || kind === "UNRESPONSIVE") return {}
  return { obstacle: kind === "GONE" ? "UNPLUGGED" : kind }
}

/** Our FFmpeg reads the camera and publishes to its path; a run is one FFmpeg. */
export class PublishedFeed extends Context.Service<
  PublishedFeed,
  {
    /** that of this camera, as the device is now */
    readonly of: (device: ReadDevice) => CameraFeed
  }
>()("camera-service/stream/PublishedFeed") {
  static readonly layer = Layer.effect(
    PublishedFeed,
    Effect.gen(function* () {
      const health = yield* CameraHealth
      const sources = yield* Sources
      const publisher = yield* Publisher
      const ffmpeg = yield* Ffmpeg

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

      const sourceOf = (device: ReadDevice): Effect.Effect<Source, RunEnded> => {
        const source = sources.of(device)
        return source === undefined
          ? Effect.fail(new RunEnded({ reason: whyNoSource(device) }))
          : Effect.succeed(source)
      }

      // no span of its own: it would end with the stream, hours later, and its children be orphans until then
      const runOnce = Effect.fnUntraced(function* (stream: LiveStream, device: ReadDevice) {
        const { camera } = stream
        const source = yield* sourceOf(device)
        const { announced, process, run } = yield* publisher.start(stream, source, (target) =>
          publishArguments(source, target)
        )
        const ended = Effect.gen(function* () {
          const exit = yield* process.exit
          const complaint = yield* health.ended(device, source.input, exit.stderr)
          const refused = isRefused(exit.stderr) ? ({ isRefused: true } as const) : {}
          if (complaint === undefined) return yield* new RunEnded({ reason: whyEnded(exit), ...refused })
          return yield* new RunEnded({ reason: complaint.detail, ...obstacleIn(complaint), ...refused })
        })
        // what stands on standard output after the end is read to its end too; the exit tells more than the pipe
        yield* Effect.forkScoped(Effect.ignoreCause(collectPictures(stream, run, source, process), { log: "Warn" }))
        return yield* Effect.raceAllFirst([ended, announced, health.watch(stream, run, source, process)]).pipe(
          Effect.tapError(({ isRefused, obstacle, silence }) => {
            // once may be a shaken cable
            if (silence === "WRONG_DATA" && stream.failuresInARow > 0) {
              const { pixelFormat } = source.captures
              return sources.avoid(camera, pixelFormat, `its ${pixelFormat} frames were no pictures`)
            }
            return Effect.sync(() => {
              const wasReady = SubscriptionRef.getUnsafe(stream.state)._tag === "Ready"
              if (!wasReady && obstacle === undefined && isRefused !== true) sources.failedToStart(camera, source)
            })
          })
        )
      })

      const picture = Effect.fnUntraced(function* (device: ReadDevice, queued: (place: number) => Effect.Effect<void>) {
        const source = yield* sourceOf(device)
        const process = yield* ffmpeg
          .start(directArguments(source), { urgency: "snapshot", queued })
          .pipe(Effect.mapError(notStarted))
        const good = yield* firstGood(source, process)
        if (Option.isSome(good)) return good.value
        return yield* new RunEnded({ reason: describeExit("ffmpeg", yield* process.exit) })
      })

      return PublishedFeed.of({
        of: (device) => ({
          runOnce: (stream) => runOnce(stream, device),
          making: () => sources.of(device),
          whyNoPicture: () => (sources.of(device) === undefined ? whyNoSource(device) : undefined),
          picture: (queued) => picture(device, queued),
          pictureBeside: () => Effect.fail(new RunEnded({ reason: "the stream's FFmpeg holds the device" }))
        })
      })
    })
  )
}

const notStarted = ({ detail }: FfmpegFailed) => new RunEnded({ reason: detail })

/** The first picture that a warm camera gives; none where FFmpeg ends before. */
const firstGood = (source: Source, process: FfmpegProcess): Effect.Effect<Option.Option<Picture>, RunEnded> => {
  const read = pictureReader(source.input)
  return process.stdout.pipe(
    Stream.mapError(notStarted),
    Stream.mapEffect((chunk) => Effect.map(now, (moment) => read(chunk, moment).good)),
    Stream.flattenIterable,
    Stream.runHead
  )
}
