import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Result from "effect/Result"
import type { CameraId } from "../../schema/Camera.ts"
import {
  DependencyFailed,
  InvalidParams,
  type InvalidState,
  type NotFound,
  RateLimited,
  type TierAttempt
} from "../../schema/Errors.ts"
import type { SnapshotFormat } from "../../schema/Snapshot.ts"
import { liveNow, Settings } from "../config/Settings.ts"
import { Devices } from "../device/Devices.ts"
import { type Facts, makeFacts } from "../facts/Facts.ts"
import { millisSince, type Moment, now } from "../ground/Time.ts"
import { Ffmpeg } from "../process/Ffmpeg.ts"
import { placeText } from "../process/Gate.ts"
import { convertArguments } from "../source/FfmpegArguments.ts"
import { Files, type Replaces } from "../storage/Files.ts"
import { fileName, snapshotFormatOf } from "../storage/Names.ts"
import type { Picture } from "../stream/Pictures.ts"
import { makeRefusals } from "../telemetry/Refusals.ts"
import { ActivatedCapture } from "./ActivatedCapture.ts"
import { AddressCapture } from "./AddressCapture.ts"
import type { Capture } from "./Capture.ts"
import { DirectCapture } from "./DirectCapture.ts"
import { LiveCapture } from "./LiveCapture.ts"

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

/** One way to a picture, and how long it may take. */
interface Way {
  readonly capture: Capture
  readonly limit: () => Duration.Duration
}

/** For all of it: the tiers, and encoding anew. */
const wholeTime = Duration.seconds(10)

/** Still pictures: the tiers in order until one has a picture, then the file and the index. */
export class Snapshots extends Context.Service<
  Snapshots,
  {
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
      const facts = yield* makeFacts<SnapshotFact>()
      const refused = yield* makeRefusals
      const limits = () => liveNow(settings).snapshots
      const live: Way = { capture: yield* LiveCapture, limit: () => limits().live_timeout_seconds }
      const address = yield* AddressCapture
      const atAddress: Way = { capture: address, limit: () => limits().direct_timeout_seconds }
      const activated: Way = { capture: yield* ActivatedCapture, limit: () => limits().activated_timeout_seconds }
      const direct: Way = { capture: yield* DirectCapture, limit: () => limits().direct_timeout_seconds }
      const waysTo = (camera: CameraId): ReadonlyArray<Way> =>
        address.isFor(camera) ? [live, atAddress, activated, direct] : [live, activated, direct]

      const attempt = Effect.fnUntraced(function* (
        { capture, limit }: Way,
        request: SnapshotRequest,
        notBefore: number,
        left: Duration.Duration
      ) {
        const began = yield* now
        const result = yield* capture.capture({ camera: request.camera, notBefore }).pipe(
          Effect.timeoutOrElse({
            duration: Duration.min(limit(), left),
            orElse: () => Effect.fail(capture.late(request.camera))
          }),
          Effect.result
        )
        const ms = Math.round(yield* millisSince(began))
        if (Result.isSuccess(result)) {
          return { tried: { tier: capture.tier, outcome: "SUCCESS", ms }, picture: result.success }
        }
        const { outcome, place } = result.failure
        return { tried: { tier: capture.tier, outcome, ms }, place }
      })

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
        const tried: Array<TierAttempt> = []
        let place: number | undefined
        for (const tier of waysTo(request.camera)) {
          const { picture, ...outcome } = yield* attempt(tier, request, notBefore, yield* left)
          tried.push(outcome.tried)
          place = outcome.place
          if (picture === undefined) continue
          yield* Effect.annotateCurrentSpan("snapshot.tier", tier.capture.name)
          const captured = yield* now
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
          const saved = yield* Effect.retry(save, { times: 10, while: isTaken })
          const { bytes, filename } = saved
          const ageMs = Math.max(0, Math.round(captured.monotonic - picture.captured.monotonic))
          const captureMs = Math.round(captured.monotonic - called.monotonic)
          facts.tell({
            _tag: "SnapshotTaken",
            camera: request.camera,
            filename,
            bytes,
            tier: tier.capture.name,
            captured: picture.captured,
            ageMs,
            captureMs
          })
          return {
            filename,
            bytes,
            picture,
            ageMs,
            captureMs,
            capture: tier.capture,
            tried
          }
        }
        if (place !== undefined) {
          refused("limits.ffmpeg_processes", request.camera, "a snapshot got no turn in time", {
            camera: request.camera,
            at_most: liveNow(settings).limits.ffmpeg_processes
          })
          return yield* new RateLimited({
            retry_after_ms: Duration.toMillis(wholeTime),
            reason: placeText(place),
            suggestion: "stop a stream, or wait for one to end"
          })
        }
        const { fault } = yield* devices.get(request.camera)
        return yield* new DependencyFailed({
          dependency: "camera",
          ...(fault === undefined ? {} : { reason: fault.kind, suggestion: fault.suggestion }),
          detail: `no way to a picture worked: ${tried.map(({ outcome }) => outcome).join("; ")}`,
          tiers_tried: tried
        })
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
