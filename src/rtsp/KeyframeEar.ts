import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import type { Keyframe, TakeKeyframe } from "../media/Keyframes.ts"
import type { Hearing } from "./Reader.ts"

/** Hears a connection until a keyframe has come on it, and keeps nothing else of what comes. */
export interface KeyframeEar extends Omit<Hearing, "message"> {
  /** the video is on this channel */
  readonly listen: (channel: number, take: TakeKeyframe) => void
  readonly first: Effect.Effect<Keyframe>
}

export const makeKeyframeEar = (): KeyframeEar => {
  const found = Deferred.makeUnsafe<Keyframe>()
  let read: { readonly channel: number; readonly take: TakeKeyframe } | undefined
  return {
    listen: (channel, take) => {
      read = { channel, take }
    },
    frame: (channel, bytes, start, end) => {
      const keyframe = channel === read?.channel ? read.take(bytes, start + 4, end) : undefined
      if (keyframe !== undefined) Deferred.doneUnsafe(found, Effect.succeed(keyframe))
      return false
    },
    frames: () => undefined,
    first: Deferred.await(found)
  }
}
