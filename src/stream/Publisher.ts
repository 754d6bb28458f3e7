import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import * as Schedule from "effect/Schedule"
import type * as Scope from "effect/Scope"
import { Tickets } from "../auth/Tickets.ts"
import { authority } from "../config/Hosts.ts"
import { Settings } from "../config/Settings.ts"
import { rtspHere } from "../config/Tls.ts"
import { Tcp } from "../ground/Tcp.ts"
import { now } from "../ground/Time.ts"
import { spsOf } from "../media/Sdp.ts"
import { Ffmpeg, type FfmpegProcess } from "../process/Ffmpeg.ts"
import { placeText } from "../process/Gate.ts"
import { MediaMtx } from "../process/MediaMtx.ts"
import { MediaMtxApi } from "../process/MediaMtxApi.ts"
import type { PathState } from "../process/MediaMtxReplies.ts"
import { awaitTrouble } from "../process/MediaMtxTrouble.ts"
import { descriptionOf } from "../rtsp/Description.ts"
import type { RtspTarget } from "../rtsp/Target.ts"
import type { Encoding } from "../source/Encoder.ts"
import type { Making } from "../source/Making.ts"
import { beginRun, type LiveStream, type Run, type StreamState } from "./LiveStream.ts"
import { codecOf } from "./PublishedCodec.ts"
import { RunEnded } from "./RunEnded.ts"
import { Sources } from "./Sources.ts"
import type { StreamName } from "./StreamName.ts"

/** How often MediaMTX is asked whether it has the stream, once somebody publishes it. */
const readyPoll = Duration.millis(10)
/** How often it is asked for a stream's SPS. */
const headerPoll = Duration.millis(100)
/** FFmpeg shows its ticket 0.2 s after its start; one that has not by now waits for its camera, or for MediaMTX. */
const ticketTime = Duration.seconds(2)

const queuedAt = (place: number): StreamState => {
  if (place === 0) return { _tag: "Starting" }
  return { _tag: "Starting", reason: placeText(place), place }
}

/** What is published, and what its bit stream is measured by. */
type Published = Making & { readonly encoding: Encoding }

/** An FFmpeg of ours that publishes a stream. */
interface Publishing {
  readonly process: FfmpegProcess
  /** the stream's run until the scope closes */
  readonly run: Run
  /**
   * Tells when the stream is ready, and what its bit stream says of itself. Fails when that is copied and not what the
   * profile asks for, and when FFmpeg has not reached MediaMTX for long, and MediaMTX answers nobody else either.
   */
  readonly announced: Effect.Effect<never, RunEnded>
}

/** Has FFmpeg publish streams to their paths, and knows these paths for all who publish. */
export class Publisher extends Context.Service<
  Publisher,
  {
    /** FFmpeg, when its turn has come, with these arguments for the address to publish at; ends with the scope */
    readonly start: (
      stream: LiveStream,
      making: Published,
      argumentsFor: (target: string) => ReadonlyArray<string>
    ) => Effect.Effect<Publishing, RunEnded, Scope.Scope>
    /** where a path is, and what opens it */
    readonly targetOf: (name: StreamName, password: string) => RtspTarget
    /** waits until MediaMTX has the stream that is published at this path */
    readonly awaitTaken: (name: StreamName) => Effect.Effect<void>
    /** waits until so many read it there */
    readonly awaitReaders: (name: StreamName, count: number) => Effect.Effect<void>
  }
>()("camera-service/stream/Publisher") {
  static readonly layer = Layer.effect(
    Publisher,
    Effect.gen(function* () {
      const settings = yield* Settings
      const ffmpeg = yield* Ffmpeg
      const tickets = yield* Tickets
      const tcp = yield* Tcp
      const api = yield* MediaMtxApi
      const mediaMtx = yield* MediaMtx
      const sources = yield* Sources
      const { host: address, port } = rtspHere(settings.boot)

      // shown at once: FFmpeg gives a user's password only when it was refused, which costs 45 ms (Nagle and a late ACK)
      const urlOf = (name: StreamName, password: string) =>
        `rtsp://${authority(address, port)}/${name}?token=${password}`

      const targetOf = (name: StreamName, password: string): RtspTarget => ({
        address,
        port,
        url: urlOf(name, password),
        isSecure: false
      })

      const awaitPath = (name: StreamName, isSo: (path: PathState) => boolean) =>
        api.getPath(name).pipe(
          Effect.map((state) => Option.isSome(state) && isSo(state.value)),
          Effect.orElseSucceed(() => false),
          Effect.repeat({ until: (found) => found, schedule: Schedule.spaced(readyPoll) }),
          Effect.asVoid
        )
      const awaitTaken = (name: StreamName) => awaitPath(name, ({ ready }) => ready)
      const awaitReaders = (name: StreamName, count: number) => awaitPath(name, ({ readers }) => readers >= count)

      const watchForHang = Effect.fnUntraced(function* (redeemed: Effect.Effect<void>) {
        const shown = yield* Effect.timeoutOption(redeemed, ticketTime)
        if (Option.isSome(shown)) return yield* Effect.never
        const reason = yield* awaitTrouble(mediaMtx, api)
        return yield* new RunEnded({ reason, obstacle: "MEDIAMTX" })
      })

      const readCodec = Effect.fnUntraced(
        function* (name: StreamName, encoding: Encoding) {
          const ticket = yield* tickets.issue(name, "read")
          ticket.giveTo("anybody")
          const nal = spsOf(yield* descriptionOf(tcp, targetOf(name, ticket.password)))
          return nal === undefined ? undefined : codecOf(nal, encoding)
        },
        Effect.scoped,
        // an encoder that gives no headers beforehand has them in its first keyframe, where MediaMTX finds them
        Effect.repeat({ until: (codec) => codec !== undefined, schedule: Schedule.spaced(headerPoll), times: 20 })
      )

      /** Until a camera's own bit stream has been read nobody is told that it is ready: only that tells whether it is fit. */
      const announce = Effect.fn("Publisher.announce")(function* (
        stream: LiveStream,
        { encoder, encoding }: Published,
        redeemed: Effect.Effect<void>
      ) {
        const { camera, name } = stream
        yield* Effect.annotateCurrentSpan("stream.name", name)
        yield* redeemed
        yield* awaitTaken(name)
        const since = yield* now
        const isCopied = encoder.name === "copy"
        if (!isCopied) yield* stream.become({ _tag: "Ready", since })
        const result = yield* Effect.result(readCodec(name, encoding))
        const codec = Result.getOrUndefined(result)
        if (codec === undefined) yield* Effect.logWarning("the stream's SPS could not be read", result)
        if (codec?.conformant === false) {
          yield* Effect.logWarning("the stream does not meet the profile", codec)
          if (isCopied) {
            const reason = `the camera's own H.264 does not meet the profile: it is ${codec.profile} ${codec.level}`
            yield* sources.avoid(camera, "H264", reason)
            return yield* new RunEnded({ reason })
          }
        }
        yield* stream.become({ _tag: "Ready", since, ...(codec === undefined ? {} : { codec }) })
      })

      const start: Publisher["Service"]["start"] = Effect.fnUntraced(function* (stream, making, argumentsFor) {
        const { name } = stream
        const ticket = yield* tickets.issue(name, "publish")
        const process = yield* Effect.mapError(
          ffmpeg.start(argumentsFor(urlOf(name, ticket.password)), {
            urgency: "stream",
            queued: (place) => stream.become(queuedAt(place))
          }),
          ({ detail }) => new RunEnded({ reason: detail })
        )
        const { pid } = process
        ticket.giveTo(pid)
        const run = yield* beginRun(stream, { making, pid })
        const announced = Effect.andThen(announce(stream, making, ticket.redeemed), Effect.never)
        return { process, run, announced: Effect.raceFirst(announced, watchForHang(ticket.redeemed)) }
      })

      return Publisher.of({ start, targetOf, awaitTaken, awaitReaders })
    })
  )
}
