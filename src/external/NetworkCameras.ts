import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import { identity } from "effect/Function"
import * as Layer from "effect/Layer"
import * as Random from "effect/Random"
import type * as Scope from "effect/Scope"
import * as Semaphore from "effect/Semaphore"
import * as SubscriptionRef from "effect/SubscriptionRef"
import type { CameraId } from "../../schema/Camera.ts"
import type { ExternalStream } from "../../schema/External.ts"
import type { Found } from "../device/Device.ts"
import { Devices, tellConnected } from "../device/Devices.ts"
import { faultOf } from "../device/Fault.ts"
import { Tcp } from "../ground/Tcp.ts"
import { probe } from "../rtsp/Probe.ts"
import { RtspFailed } from "../rtsp/RtspFailed.ts"
import { Streams } from "../stream/Streams.ts"
import { type Answer, lastingKeys, pauseAfter, statusOf, type Told, withAnswer } from "./Answers.ts"
import { CameraKeyframes } from "./CameraKeyframes.ts"
import { CameraPictures } from "./CameraPictures.ts"
import { formatsIn, withShown } from "./Carried.ts"
import { asFailure, networkInput } from "./NetworkInput.ts"
import type { AddressRefused } from "./Reach.ts"
import type { AddedStream } from "./StreamFiles.ts"
import { isOnvif, type Pins, StreamTargets } from "./StreamTargets.ts"
import type { StreamUrl } from "./StreamUrl.ts"

/** A camera that is asked what its stream is has answered by then, or it is away. */
const answerTime = Duration.seconds(5)
/** The same, for one whose turn has to come first. */
const turnTime = Duration.seconds(8)
/** So many cameras are asked at once. */
const atOnce = 8

/** An added stream as a camera. */
export interface NetworkCamera {
  readonly id: CameraId
  /** with what was learnt of it since it was added */
  readonly stream: () => AddedStream
  readonly status: () => ExternalStream["status"]
  /** it shows another certificate than it is known by */
  readonly isChanged: () => boolean
  /** has it opened by this URL from now on, which differs in its secrets alone; `told`: what the camera said to that */
  readonly reopen: (url: StreamUrl, told: Told) => Effect.Effect<void>
}

/** Makes cameras of streams, and looks whether they are there while nobody needs them. */
export class NetworkCameras extends Context.Service<
  NetworkCameras,
  {
    /** what the camera says of the stream now */
    readonly ask: (stream: Pins & Pick<AddedStream, "url">) => Effect.Effect<Told, RtspFailed | AddressRefused>
    /** what the camera is known by wherever it is, where it says that */
    readonly lasting: StreamTargets["Service"]["lasting"]
    /**
     * It is a camera for as long as the scope lives. `answer`: it was asked just now; `learnt` runs when more is known of it
     * that should last.
     */
    readonly attach: (
      stream: AddedStream,
      answer: Answer | undefined,
      learnt: Effect.Effect<unknown>
    ) => Effect.Effect<NetworkCamera, never, Scope.Scope>
  }
>()("camera-service/external/NetworkCameras") {
  static readonly layer = Layer.effect(
    NetworkCameras,
    Effect.gen(function* () {
      const devices = yield* Devices
      const streams = yield* Streams
      const targets = yield* StreamTargets
      const { pictureOf } = yield* CameraPictures
      const keyframes = yield* CameraKeyframes
      const tcp = yield* Tcp
      const turn = yield* Semaphore.make(atOnce)

      const ask: NetworkCameras["Service"]["ask"] = Effect.fn("NetworkCameras.ask")(
        function* ({ url, ...pins }) {
          const target = yield* targets.target(url, pins)
          const { deviceFingerprint, hasPtz } = target
          const described = yield* Effect.mapError(probe(tcp, target), isOnvif(url) ? ofItsStream : identity)
          return {
            ...described,
            ...(deviceFingerprint === undefined ? {} : { deviceFingerprint }),
            ...(hasPtz === undefined ? {} : { hasPtz })
          }
        },
        Effect.timeoutOrElse({ duration: answerTime, orElse: () => silent })
      )

      const attach: NetworkCameras["Service"]["attach"] = Effect.fnUntraced(function* (first, answer, learnt) {
        const { lasting, name } = first
        const { text } = first.url
        let stream = first
        const input = networkInput(
          text,
          Effect.suspend(() => targets.recent(stream.url, stream)),
          isOnvif(first.url)
            ? {
                still: Effect.suspend(() => pictureOf(stream.url, stream)),
                keyframe: Effect.suspend(() => keyframes.ask(stream.url, stream))
              }
            : undefined
        )
        const found = (): Found => ({
          input: { ...input, ...(stream.carried === undefined ? {} : { sends: stream.carried }) },
          identity: { position: text, ...(lasting === undefined ? {} : { serial: lasting }) },
          name,
          formats: formatsIn(stream.carried)
        })
        /** how often in a row it did not answer; undefined: it was never asked */
        let failures: number | undefined
        /** since the service has started */
        let wasReached = false

        const learn = Effect.fnUntraced(function* (told: Told) {
          failures = 0
          const before = stream
          stream = withAnswer(stream, told, yield* Clock.currentTimeMillis)
          const isOther = before.carried !== stream.carried
          return { isOther, isLasting: isOther || lastingKeys.some((key) => before[key] !== stream[key]) }
        })
        const refuse = ({ detail, kind }: RtspFailed) => {
          failures = (failures ?? 0) + 1
          return faultOf(kind, detail)
        }

        const fault = answer instanceof RtspFailed ? refuse(answer) : undefined
        if (answer !== undefined && !(answer instanceof RtspFailed)) yield* learn(answer)
        const { id, update } = yield* devices.attach({ ...found(), isUnreached: true }, fault)
        const reached = Effect.suspend(() => {
          if (wasReached) return Effect.void
          wasReached = true
          return tellConnected(id, found())
        })
        if (failures === 0) yield* reached

        const answered = Effect.fnUntraced(function* (told: Told) {
          const { isLasting, isOther } = yield* learn(told)
          yield* reached
          yield* isOther ? update(found()) : devices.recovered(id)
          if (isLasting) yield* learnt
        })
        const failed = (reason: RtspFailed | AddressRefused) =>
          Effect.suspend(() => devices.fault(id, refuse(reason._tag === "AddressRefused" ? asFailure(reason) : reason)))

        const isReady = () => {
          const current = streams.current(id)
          return current !== undefined && SubscriptionRef.getUnsafe(current.state)._tag === "Ready"
        }
        const seen = Effect.map(Clock.currentTimeMillis, (lastSeen) => {
          if (isReady()) stream = { ...stream, lastSeen }
        })
        /** While somebody needs its stream it is not asked, and shows what it sends. */
        const show = Effect.gen(function* () {
          const sends = streams.current(id)?.run?.sends
          const carried = sends === undefined ? stream.carried : withShown(stream.carried, sends)
          if (carried === undefined || carried === stream.carried) return
          stream = { ...stream, carried }
          yield* update(found())
          yield* learnt
        })
        yield* streams.facts.follow((fact) =>
          fact.name === id && fact._tag === "StreamChanged" && fact.state._tag === "Ready"
            ? Effect.andThen(reached, show)
            : Effect.void
        )

        /** Undefined: somebody needs the stream, and it shows by itself how its camera is; that session is the only one. */
        const askIdle = Effect.suspend(() => {
          if (streams.current(id) !== undefined) return Effect.undefined
          const { url } = stream
          // what it says to secrets that were replaced meanwhile it does not say to the new ones
          return Effect.catchIf(
            ask(stream),
            () => stream.url !== url,
            () => Effect.undefined
          )
        })
        const look = Effect.suspend(() =>
          streams.current(id) === undefined ? streams.withDevice(id)(askIdle) : Effect.undefined
        ).pipe(
          // a stream that has begun meanwhile has the device for hours
          Effect.timeoutOrElse({ duration: turnTime, orElse: () => Effect.undefined }),
          turn.withPermit,
          Effect.matchEffect({
            onFailure: failed,
            onSuccess: (told) => (told === undefined ? seen : answered(told))
          }),
          Effect.catchDefect((defect) => Effect.logError("a network camera could not be asked", defect))
        )

        const faultNow = () => devices.find(id)?.fault?.kind
        const pause = Effect.flatMap(Random.nextBetween(0.9, 1.1), (chance) =>
          Effect.sleep(Duration.millis(pauseAfter(faultNow(), failures ?? 0) * chance))
        )
        yield* (answer === undefined ? Effect.void : pause).pipe(
          Effect.andThen(Effect.forever(Effect.andThen(look, pause))),
          Effect.annotateLogs({ "camera.id": id }),
          Effect.forkScoped
        )

        return {
          id,
          stream: () => stream,
          status: () => statusOf(faultNow(), failures === 0 || isReady()),
          isChanged: () => faultNow() === "CERTIFICATE_CHANGED",
          reopen: (url, told) =>
            Effect.suspend(() => {
              stream = { ...stream, url }
              return answered(told)
            })
        }
      })

      return NetworkCameras.of({ ask, lasting: targets.lasting, attach })
    })
  )
}

/** One account serves for all that an ONVIF camera is asked. */
const ofItsStream = (failed: RtspFailed): RtspFailed => {
  const { detail, kind } = failed
  if (kind !== "AUTH_FAILED") return failed
  const rule =
    "its stream (RTSP) is asked with the user of its ONVIF service: make one user for both, or add the stream's own URL"
  return new RtspFailed({ kind, detail: `${detail}; ${rule}` })
}

const silent = Effect.fail(new RtspFailed({ kind: "UNREACHABLE", detail: "it does not answer" }))
