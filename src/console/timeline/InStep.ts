import * as Effect from "effect/Effect"
import { positionIn, timeIn } from "./Playback.ts"

const lookEvery = "100 millis"
/** Seconds: what is nearer is caught up with by speed, which is not seen; a jump takes a decoder longer than that. */
const jumpFrom = 0.3
/** In a still picture a frame is seen. */
const jumpFromStill = 0.02
/** How much of what is missing is caught up with in a second, and how much faster or slower it plays for that at most. */
const eagerness = 2
const mostFaster = 0.25

/** Keeps a video in step with the one that leads, for as long as it is let; tells whether it has a picture of that time. */
export const inStep = (
  video: HTMLVideoElement,
  leader: HTMLVideoElement,
  tell: (hasPicture: boolean) => void
): Effect.Effect<never> =>
  Effect.forever(
    Effect.suspend(() => {
      const time = timeIn(leader)
      // where a seek is under way the time is that to which it goes
      if (time !== undefined && !video.seeking) keep(video, leader, positionIn(video, time), tell)
      return Effect.sleep(lookEvery)
    })
  )

const keep = (
  video: HTMLVideoElement,
  leader: HTMLVideoElement,
  target: number,
  tell: (hasPicture: boolean) => void
): void => {
  const missing = target - video.currentTime
  const has = isIn(video.buffered, target)
  tell(has)
  if (!has || leader.paused || leader.seeking) {
    if (!video.paused) video.pause()
    // also to where nothing is yet: what is loaded next is what is needed there
    if (Math.abs(missing) > (has ? jumpFromStill : 1)) video.currentTime = target
    return
  }
  if (Math.abs(missing) > jumpFrom) video.currentTime = target
  video.playbackRate = leader.playbackRate * speedFor(missing)
  // one that is taken away meanwhile plays no more
  if (video.paused) video.play().catch(() => undefined)
}

/** How much faster to play to make up for so many seconds. */
export const speedFor = (missing: number): number =>
  1 + Math.min(mostFaster, Math.max(-mostFaster, missing * eagerness))

const isIn = (buffered: TimeRanges, position: number): boolean => {
  for (let index = 0; index < buffered.length; index++) {
    if (position >= buffered.start(index) && position < buffered.end(index)) return true
  }
  return false
}
