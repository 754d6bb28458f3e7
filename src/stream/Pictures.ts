import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import type { Moment } from "../ground/Time.ts"
import type { FfmpegFailed } from "../process/FfmpegFailed.ts"

/** One picture of a camera as JPEG. */
export interface Picture {
  readonly jpeg: Buffer
  readonly width: number
  readonly height: number
  /** when it reached us from the camera */
  readonly captured: Moment
  /** milliseconds between two keyframes of the stream that it was taken from, as last seen: its age is up to that */
  readonly keyframeInterval?: number
}

/** What a stream showed at a moment: a picture at hand, or one that is made when somebody wants it. */
export interface Still {
  readonly captured: Moment
  readonly picture: Effect.Effect<Picture, FfmpegFailed>
}

/** The latest still of one stream, and a place to wait for the next. */
export interface Pictures {
  readonly latest: () => Still | undefined
  /** the next one to arrive */
  readonly next: Effect.Effect<Still>
  /** somebody has waited for the next one */
  readonly isAwaited: () => boolean
  readonly put: (still: Still) => void
}

/** Of a picture that is at hand. */
export const stillOf = (picture: Picture): Still => ({ captured: picture.captured, picture: Effect.succeed(picture) })

export const makePictures = (): Pictures => {
  let latest: Still | undefined
  let waiting: Deferred.Deferred<Still> | undefined
  return {
    latest: () => latest,
    next: Effect.suspend(() => Deferred.await((waiting ??= Deferred.makeUnsafe<Still>()))),
    isAwaited: () => waiting !== undefined,
    put: (still) => {
      latest = still
      if (waiting === undefined) return
      Deferred.doneUnsafe(waiting, Effect.succeed(still))
      waiting = undefined
    }
  }
}
