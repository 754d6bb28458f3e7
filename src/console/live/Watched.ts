import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import type { Session } from "../session/Session.ts"
import { keepStill } from "./Still.ts"
import { inClosingTurn } from "./Turns.ts"
import { LiveFailed } from "./Whep.ts"

/** A playing stream without a new frame for so long has broken. */
const stallTime = 3000
/**
 * Where the service says that something is wrong with the camera; or is gone, or it or MediaMTX has begun anew since: its sessions
 * are gone, and a slow camera's is made in a moment.
 */
const stallTimeDisturbed = 500
const lookEvery = 250

/** The newest picture: when it was shown, in epoch milliseconds of this machine. */
interface Newest {
  at: number
}

/** What was seen last stays when the video goes. `madeAt`: when that was made, where it is known. */
export const keptStill = Effect.fnUntraced(function* (
  device: string,
  video: HTMLVideoElement,
  madeAt: () => number | undefined = () => undefined
) {
  const newest: Newest = { at: yield* Clock.currentTimeMillis }
  yield* Effect.addFinalizer(() => inClosingTurn(Effect.sync(() => keepStill(device, video, madeAt() ?? newest.at))))
  return newest
})

/** Fails when no new frame comes. */
export const watched = Effect.fnUntraced(function* (
  video: HTMLVideoElement,
  session: Session,
  newest: Newest,
  isFaulty: () => boolean
) {
  const disturbance = session.disturbance.peek()
  let frames = -1
  let still = 0
  while (true) {
    const { totalVideoFrames } = video.getVideoPlaybackQuality()
    const isStill = totalVideoFrames === frames
    still = isStill ? still + lookEvery : 0
    frames = totalVideoFrames
    if (!isStill) newest.at = yield* Clock.currentTimeMillis
    const isDisturbed = session.disturbance.peek() !== disturbance || session.phase.peek()._tag === "Lost" || isFaulty()
    const limit = isDisturbed ? stallTimeDisturbed : stallTime
    if (still >= limit) return yield* new LiveFailed({ kind: "absent", reason: "no new picture comes" })
    yield* Effect.sleep(lookEvery)
  }
})
