import { signal } from "@preact/signals"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Result from "effect/Result"
import type { Session } from "../session/Session.ts"
import { type AskCamera, type Delay, hlsDelay, webRtcDelay } from "./Delay.ts"
import { hls } from "./Hls.ts"
import { firstPicture, pictureOf, shown } from "./Picture.ts"
import { inClosingTurn } from "./Turns.ts"
import { keptStill, watched } from "./Watched.ts"
import { LiveFailed, whep } from "./Whep.ts"

export type Transport = "WebRTC" | "HLS"

/** What a tile shows, and why. */
export type LiveState =
  | { readonly _tag: "Starting"; readonly transport: Transport }
  /** `delay`: undefined: not known, or not yet */
  | { readonly _tag: "Playing"; readonly transport: Transport; readonly delay: Delay | undefined }
  /** it is tried again by itself */
  | { readonly _tag: "Waiting"; readonly reason: string }
  /** another token would help, and nothing else */
  | { readonly _tag: "Refused"; readonly reason: string }

/** From the answer to the connection: what does not get through by then does not get through. */
const connectTime = Duration.seconds(3)
/** … a picture is not waited for as long: HLS shows one meanwhile. */
const connectPatience = Duration.millis(400)
/**
 * To the first picture: a camera's own stream may have a keyframe every 10 s. Over HLS each step on the way there has as long:
 * where the whole takes longer, as on a slow network, to begin anew would never show one.
 */
const pictureTime = Duration.seconds(12)
const noPicture = "WebRTC is connected, and brings no picture"
const noHls = "HLS brings no picture"
const firstRetry = 100
const lastRetry = 2000

/** Why cameras are watched over HLS: once a transport has failed it is not tried again by itself, so that nothing flaps. */
const fallbacks = signal<ReadonlyMap<string, string>>(new Map())

/** Why WebRTC has been given up for this camera. */
export const fallbackOf = (device: string): string | undefined => fallbacks.value.get(device)

/** Has WebRTC tried again, where it had been given up. */
export const forgetFallback = (device: string): void => {
  fallbacks.value = new Map([...fallbacks.peek()].filter(([other]) => other !== device))
}

const fallBack = (device: string, reason: string): void => {
  fallbacks.value = new Map(fallbacks.peek()).set(device, reason)
}

/** WebRTC has got through once: what takes longer now is a busy browser, which HLS would make busier. */
let getsThrough = false

/** Tells what is seen, over what. */
type Playing = (transport: Transport) => (delay?: Delay) => void

/**
 * Plays a camera into this element for as long as it is let, over what works, and tells how that goes. `isFaulty`: the service
 * says that something is wrong with it.
 */
export const live = (
  device: string,
  video: HTMLVideoElement,
  session: Session,
  tell: (state: LiveState) => void,
  isFaulty: () => boolean
): Effect.Effect<never> =>
  Effect.gen(function* () {
    let failures = 0
    /** why there is no picture has been told, and no disturbance came since: another try is no news */
    let toldAt: number | undefined
    const tellWhy = (state: LiveState) => {
      toldAt = session.disturbance.peek()
      tell(state)
    }
    while (true) {
      const disturbance = session.disturbance.peek()
      const transport: Transport = fallbacks.peek().has(device) ? "HLS" : "WebRTC"
      const starting = () => {
        if (toldAt !== session.disturbance.peek()) tell({ _tag: "Starting", transport })
      }
      const playing: Playing = (over) => (delay) => {
        failures = 0
        toldAt = undefined
        tell({ _tag: "Playing", transport: over, delay })
      }
      starting()
      const error = yield* Effect.flip(
        Effect.scoped(
          transport === "WebRTC"
            ? overWebRtc(device, video, session, playing, starting, isFaulty)
            : overHls(device, video, session, playing("HLS"), isFaulty)
        )
      )
      const wasDisturbed = session.disturbance.peek() !== disturbance
      if (error.kind === "refused") {
        tellWhy({ _tag: "Refused", reason: error.reason })
        yield* session.verify
        // where the login holds, the token had ended before its next one came
        yield* Effect.raceFirst(Effect.sleep(lastRetry), session.afterDisturbance(session.disturbance.peek()))
        continue
      }
      // what went wrong while the media server began anew says nothing of the way to it
      if (error.kind === "unplayable" && !fallbacks.peek().has(device) && !wasDisturbed) {
        fallBack(device, error.reason)
        continue
      }
      // neither way works: what changes first may be either
      if (error.kind === "unplayable") forgetFallback(device)
      tellWhy({ _tag: "Waiting", reason: error.reason })
      if (wasDisturbed) failures = 0
      const pause = Math.min(firstRetry * 2 ** failures++, lastRetry)
      yield* Effect.raceFirst(Effect.sleep(pause), session.afterDisturbance(session.disturbance.peek()))
    }
  })

const overWebRtc = Effect.fnUntraced(function* (
  device: string,
  video: HTMLVideoElement,
  session: Session,
  playing: Playing,
  starting: () => void,
  isFaulty: () => boolean
) {
  const { media, peer } = yield* Effect.raceFirst(whep(device, session.bearer()), disturbed(session))
  const through = within(
    connectTime,
    connected(peer),
    "WebRTC does not get through: its packets may be blocked on the way"
  )
  if (getsThrough) yield* through
  else {
    const disturbance = session.disturbance.peek()
    let isSeen = false
    const seen = (delay?: Delay) => {
      isSeen = true
      playing("HLS")(delay)
    }
    const meanwhile = yield* overHls(device, video, session, seen, isFaulty).pipe(
      Effect.scoped,
      Effect.delay(connectPatience),
      Effect.forkScoped
    )
    // what is seen over HLS stays until WebRTC has a picture too
    const pictured = Effect.andThen(through, () =>
      isSeen ? within(pictureTime, pictureOf(media), noPicture) : Effect.void
    )
    const outcome = yield* Effect.result(pictured)
    if (Result.isFailure(outcome)) {
      if (session.disturbance.peek() !== disturbance) return yield* outcome.failure
      fallBack(device, outcome.failure.reason)
      yield* inClosingTurn(Effect.sync(() => peer.close()))
      return yield* Fiber.join(meanwhile)
    }
    getsThrough = true
    yield* Fiber.interrupt(meanwhile)
    starting()
  }
  yield* shown(video, media)
  yield* within(pictureTime, firstPicture(video), noPicture)
  const newest = yield* keptStill(device, video)
  const isPlaying = playing("WebRTC")
  isPlaying()
  const broken = Effect.callback<never, LiveFailed>((resume) => {
    peer.addEventListener("connectionstatechange", () => {
      if (peer.connectionState === "failed" || peer.connectionState === "closed") {
        resume(Effect.fail(new LiveFailed({ kind: "absent", reason: "the connection to the media server broke" })))
      }
    })
  })
  return yield* Effect.raceAllFirst([
    broken,
    watched(video, session, newest, isFaulty),
    webRtcDelay(video, peer, cameraDelay(device, session), isPlaying)
  ])
})

const overHls = Effect.fnUntraced(function* (
  device: string,
  video: HTMLVideoElement,
  session: Session,
  playing: (delay?: Delay) => void,
  isFaulty: () => boolean
) {
  const { broken, dateNow, steps } = yield* hls(device, () => session.bearer(), video)
  const late = Effect.andThen(
    Effect.forEach(steps, (step) => within(pictureTime, step, noHls), { discard: true }),
    within(pictureTime, Effect.never, noHls)
  )
  yield* Effect.raceAllFirst([broken, late, firstPicture(video)])
  const newest = yield* keptStill(device, video, () => {
    const date = dateNow()
    return date === null ? undefined : date.getTime() - session.serverTime(0)
  })
  playing()
  return yield* Effect.raceAllFirst([
    broken,
    watched(video, session, newest, isFaulty),
    hlsDelay(dateNow, () => session.serverNow(), cameraDelay(device, session), playing)
  ])
})

const cameraDelay = (device: string, session: Session): AskCamera =>
  session
    .ask((call) => call.get_stream_status({ device }))
    .pipe(
      Effect.map(({ metrics }) => metrics.delay_ms),
      Effect.orElseSucceed(() => undefined)
    )

/** Fails with the next disturbance: an offer that is on its way then may have been lost without a word, and is waited for for ever. */
const disturbed = (session: Session): Effect.Effect<never, LiveFailed> =>
  Effect.andThen(
    session.afterDisturbance(session.disturbance.peek()),
    Effect.fail(new LiveFailed({ kind: "absent", reason: "the connection to the service broke" }))
  )

const connected = (peer: RTCPeerConnection): Effect.Effect<void> =>
  Effect.callback<void>((resume) => {
    const look = () => {
      if (peer.connectionState === "connected") resume(Effect.void)
    }
    peer.addEventListener("connectionstatechange", look)
    look()
    return Effect.sync(() => peer.removeEventListener("connectionstatechange", look))
  })

const within = (time: Duration.Duration, effect: Effect.Effect<void>, otherwise: string) =>
  Effect.timeoutOrElse(effect, {
    duration: time,
    orElse: () => Effect.fail(new LiveFailed({ kind: "unplayable", reason: otherwise }))
  })
