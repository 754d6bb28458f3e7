import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type { CameraId } from "../../schema/Camera.ts"
import {
  DependencyFailed,
  InvalidParams,
  type InvalidState,
  type NotFound,
  type RateLimited,
  type TierAttempt
} from "../../schema/Errors.ts"
import type { SnapshotFormat } from "../../schema/Snapshot.ts"
import { liveNow, Settings } from "../config/Settings.ts"
import { Devices } from "../device/Devices.ts"
import { type Facts, makeFacts } from "../facts/Facts.ts"
import { millisSince, type Moment, now } from "../ground/Time.ts"
import { Ffmpeg } from "../process/Ffmpeg.ts"
import { convertArguments } from "../source/FfmpegArguments.ts"
import { Files, type Replaces } from "../storage/Files.ts"
import { fileName, snapshotFormatOf } from "../storage/Names.ts"
import type { Picture } from "../stream/Pictures.ts"
import type { Capture } from "./Capture.ts"
import { makeTiers, wholeTime } from "./Tiers.ts"

export interface SnapshotRequest {
  readonly camera: CameraId
  readonly filename?: string
  /** whose picture of this name may be replaced; absent: nobody's */
  readonly replaces?: Replaces
  readonly format?: SnapshotFormat
  /** 1 to 100; absent: the picture as it came from the camera */
  readonly quality?: number
  /** milliseconds */
  readonly maxAge: number
}

export interface Snapshot {
  readonly filename: string
  readonly bytes: number
  readonly picture: Picture
  readonly ageMs: number
  readonly captureMs: number
  readonly capture: Capture
  readonly tried: ReadonlyArray<TierAttempt>
}

/** What happens to snapshots. */
export interface SnapshotFact {
  readonly _tag: "SnapshotTaken"
  readonly camera: CameraId
  readonly filename: string
  readonly bytes: number
  readonly tier: Capture["name"]
  readonly captured: Moment
  /** of the picture, when it was had */
  readonly ageMs: number
  /** from the request to the picture */
  readonly captureMs: number
}

/** Still pictures: the tiers in order until one has a picture, then the file and the index. */
export class Snapshots extends Context.Service<
  Snapshots,
  {
    /** saved and in the index 5 s after the picture was had, and synced soon after; fails with what each tier had to say */
    readonly take: (
      request: SnapshotRequest
    ) => Effect.Effect<Snapshot, DependencyFailed | InvalidParams | InvalidState | NotFound | RateLimited>
    /** what is taken from now on */
    readonly facts: Facts<SnapshotFact>
  }
>()("camera-service/snapshot/Snapshots") {
  static readonly layer = Layer.effect(
    Snapshots,
    Effect.gen(function* () {
      const settings = yield* Settings
      const devices = yield* Devices
      const files = yield* Files
      const ffmpeg = yield* Ffmpeg
      const pictureOf = yield* makeTiers
      const facts = yield* makeFacts<SnapshotFact>()

      /** Encoded anew only where the caller asks for it: another format, or a quality. */
      const encode = (
        { jpeg }: Picture,
        format: SnapshotFormat,
        quality: number | undefined,
        timeout: Duration.Duration
      ) => {
        if (format === "jpg" && quality === undefined) return Effect.succeed(jpeg)
        const to =
          format === "png"
            ? ({ format } as const)
            : { format, quality: quality ?? liveNow(settings).snapshots.jpeg_quality }
        return Effect.mapError(
          ffmpeg.run(convertArguments(to), { work: "picture", stdin: jpeg, timeout }),
          ({ detail }) => new DependencyFailed({ dependency: "ffmpeg", detail })
        )
      }

      let lastStamp = 0
      /** Two snapshots of one millisecond get names a microsecond apart. A clock that was set back is followed. */
      const newName = (request: SnapshotRequest, calledAt: number, format: SnapshotFormat): string => {
        const stamp = calledAt * 1000
        const wasSetBack = lastStamp - stamp > Duration.toMillis(wholeTime) * 1000
        lastStamp = wasSetBack ? stamp : Math.max(stamp, lastStamp + 1)
        return request.filename ?? fileName(request.camera, lastStamp / 1000, format)
      }

      const take = Effect.fn("Snapshots.take")(function* (request: SnapshotRequest) {
        yield* Effect.annotateCurrentSpan("camera.id", request.camera)
        yield* devices.get(request.camera)
        const format = yield* formatOf(request)
        const called = yield* now
        if (request.filename !== undefined) yield* files.admitName(request.filename, request.replaces)
        const left = Effect.map(millisSince(called), (spent) => Duration.subtract(wholeTime, Duration.millis(spent)))
        const notBefore = called.monotonic - request.maxAge
        const { at, capture, picture, tried } = yield* pictureOf(request.camera, notBefore, left)
        yield* Effect.annotateCurrentSpan("snapshot.tier", capture.name)
        const encoded = yield* encode(picture, format, request.quality, yield* left)
        const save = Effect.suspend(() =>
          files.saveSnapshot(
            {
              filename: newName(request, called.wall, format),
              device: request.camera,
              bytes: encoded,
              width: picture.width,
              height: picture.height,
              capturedAt: picture.captured.wall
            },
            request.filename === undefined ? undefined : request.replaces
          )
        )
        // a name of ours may be there since before the clock was set back
        const isTaken = ({ _tag }: DependencyFailed | InvalidParams | InvalidState): boolean =>
          _tag === "InvalidState" && request.filename === undefined
        const { bytes, filename } = yield* Effect.retry(save, { times: 10, while: isTaken })
        const ageMs = Math.max(0, Math.round(at.monotonic - picture.captured.monotonic))
        const captureMs = Math.round(at.monotonic - called.monotonic)
        facts.tell({
          _tag: "SnapshotTaken",
          camera: request.camera,
          filename,
          bytes,
          tier: capture.name,
          captured: picture.captured,
          ageMs,
          captureMs
        })
        return { filename, bytes, picture, ageMs, captureMs, capture, tried }
      })

      return Snapshots.of({ take, facts })
    })
  )
}

/** The format asked for, or the one that the file's name says; the two must not contradict each other. */
const formatOf = (request: SnapshotRequest): Effect.Effect<SnapshotFormat, InvalidParams> => {
  if (request.filename === undefined) return Effect.succeed(request.format ?? "jpg")
  const named = snapshotFormatOf(request.filename)
  if (named === undefined || (request.format !== undefined && request.format !== named)) {
    const rule = `a name that ends in .${request.format ?? "jpg or .png"}`
    return Effect.fail(
      new InvalidParams({ param: "filename", rule, hint: `such as picture.${request.format ?? "jpg"}` })
    )
  }
  return Effect.succeed(named)
}
