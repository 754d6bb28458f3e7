import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schedule from "effect/Schedule"
import * as Stream from "effect/Stream"
import * as SubscriptionRef from "effect/SubscriptionRef"
import { Tickets } from "../auth/Tickets.ts"
import { liveNow, Settings } from "../config/Settings.ts"
import type { Device } from "../device/Device.ts"
import { Machine } from "../ground/Machine.ts"
import { monotonicMillis } from "../ground/Time.ts"
import type { FfmpegProcess } from "../process/Ffmpeg.ts"
import { transcodeArguments } from "../source/FfmpegArguments.ts"
import type { Transcode } from "../source/Transcode.ts"
import type { Feed } from "./Feed.ts"
import { whyEnded } from "./FfmpegEnd.ts"
import { KeyframeRequests } from "./KeyframeRequests.ts"
import { makeLateness } from "./Lateness.ts"
import type { LiveStream, Run, StreamState } from "./LiveStream.ts"
import { Publisher } from "./Publisher.ts"
import { rateMeter } from "./RateMeter.ts"
import { RunEnded } from "./RunEnded.ts"
import { Sources } from "./Sources.ts"
import { makeStillness } from "./Stillness.ts"

const look = Duration.millis(250)
/** FFmpeg plays some milliseconds after MediaMTX has let it in. */
const playTime = Duration.millis(50)

/**
 * Our FFmpeg reads a camera's own stream from MediaMTX, and publishes it as H.264 and Opus. A camera that is idle does not
 * play before it is there (`joining`), so that it has the first keyframe; one that plays is asked for another. A run
 * ends by itself only where the transcode is to blame. A second profile of the camera may be H.264 at no cost here, and
 * takes a second session at the camera, of which many serve one.
 */
export class TranscodedFeed extends Context.Service<
  TranscodedFeed,
  {
    /** of this stream, which the transcode's holds, and its camera */
    readonly of: (own: LiveStream, device: Device) => Feed
  }
>()("camera-service/stream/TranscodedFeed") {
  static readonly layer = Layer.effect(
    TranscodedFeed,
    Effect.gen(function* () {
      const settings = yield* Settings
      const tickets = yield* Tickets
      const publisher = yield* Publisher
      const sources = yield* Sources
      const keyframes = yield* KeyframeRequests
      const machine = yield* Machine

      const planOf = (own: LiveStream, { id, input }: Device) => sources.transcode(id, own.run?.sends ?? input.sends)

      /** Waits while the camera is in trouble, which is the transcode's then. */
      const awaitOwn = (stream: LiveStream, own: LiveStream) =>
        SubscriptionRef.changes(own.state).pipe(
          Stream.tap((state) => (state._tag === "Failing" ? stream.become(state) : Effect.void)),
          Stream.filter(({ _tag }) => _tag !== "Failing"),
          Stream.runHead,
          Effect.andThen(
            Effect.suspend(() => {
              const { _tag } = SubscriptionRef.getUnsafe(stream.state)
              return _tag === "Failing" ? stream.become({ _tag: "Starting" }) : Effect.void
            })
          )
        )

      /** The camera's own stream fails, or is another than was planned for. Told before FFmpeg's end is waited for. */
      const untilOther = (stream: LiveStream, own: LiveStream, isOther: () => boolean) => {
        let wasReady = false
        const isOver = (state: StreamState): boolean => {
          if (state._tag !== "Ready") return wasReady || state._tag === "Failing"
          wasReady = true
          return isOther()
        }
        return SubscriptionRef.changes(own.state).pipe(
          Stream.filter(isOver),
          Stream.tap((state) => stream.become(state._tag === "Ready" ? { _tag: "Starting" } : state)),
          Stream.runHead
        )
      }

      /** Fails when no frame comes out, for longer than it takes to see that none comes in. */
      const watch = Effect.fnUntraced(function* (own: LiveStream, run: Run, process: FfmpegProcess) {
        const { pid } = process
        const measure = rateMeter(run)
        let movedAt: number | undefined
        const stillness = makeStillness(yield* monotonicMillis)
        const lateness = makeLateness(() => machine.processorWait(pid))
        yield* Effect.forkScoped(
          Stream.runForEach(process.progress, ({ frame }) =>
            Effect.map(monotonicMillis, (time) => {
              if (frame > run.published.frames) movedAt = time
              measure(frame, time)
            })
          )
        )
        const check = Effect.gen(function* () {
          const { stall_seconds, start_timeout_seconds } = liveNow(settings).streams
          const time = yield* monotonicMillis
          const isFed = SubscriptionRef.getUnsafe(own.state)._tag === "Ready"
          // what gets nothing does not stand still
          const still = stillness(isFed ? movedAt : time, time, lateness(movedAt, time))
          // the first one is made of a keyframe, and cameras that save bits have them 20 s apart
          const limit =
            movedAt === undefined ? Duration.times(start_timeout_seconds, 3) : Duration.times(stall_seconds, 2)
          if (still <= Duration.toMillis(limit)) return
          return yield* new RunEnded({ reason: `no frame for ${Math.round(still / 1000)} s`, silence: "FROZEN" })
        })
        return yield* Effect.repeat(check, Schedule.spaced(look)).pipe(Effect.andThen(Effect.never))
      })

      const transcode = Effect.fnUntraced(function* (stream: LiveStream, own: LiveStream, device: Device) {
        const plan = planOf(own, device)
        const ticket = yield* tickets.issue(own.name, "read")
        yield* Effect.acquireRelease(
          Effect.sync(() => own.joining.add(ticket.redeemed)),
          () => Effect.sync(() => own.joining.delete(ticket.redeemed))
        )
        const { url: from } = publisher.targetOf(own.name, ticket.password)
        const starting = publisher.start(stream, plan, (target) => transcodeArguments(plan, from, target))
        const isOther = () => intentOf(planOf(own, device)) !== intentOf(plan)
        const other = untilOther(stream, own, isOther)
        const running = Effect.gen(function* () {
          const { announced, process, run } = yield* starting
          const { pid } = process
          ticket.giveTo(pid)
          if (SubscriptionRef.getUnsafe(own.state)._tag === "Ready") {
            const reads = Effect.andThen(ticket.redeemed, Effect.sleep(playTime))
            yield* Effect.forkScoped(Effect.andThen(reads, keyframes.ask(own.camera)))
          }
          const ended = Effect.flatMap(process.exit, (exit) => new RunEnded({ reason: whyEnded(exit) }))
          return yield* Effect.raceAllFirst([ended, announced, watch(own, run, process)]).pipe(
            Effect.tapError(() =>
              Effect.sync(() => {
                const { _tag } = SubscriptionRef.getUnsafe(stream.state)
                const { _tag: ownTag } = SubscriptionRef.getUnsafe(own.state)
                if (_tag !== "Ready" && ownTag === "Ready") sources.failedToStart(device.id, plan)
              })
            )
          )
        })
        return yield* Effect.raceFirst(running, other)
      })

      const of = (own: LiveStream, device: Device): Feed => ({
        runOnce: (stream) =>
          awaitOwn(stream, own).pipe(Effect.andThen(Effect.scoped(transcode(stream, own, device))), Effect.forever)
      })

      return TranscodedFeed.of({ of })
    })
  )
}

/** What FFmpeg was started for. */
const intentOf = ({ encoder, fps, scale }: Transcode): string => `${encoder.name === "copy"} ${scale} ${fps}`
