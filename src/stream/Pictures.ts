import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import type { Moment } from "../ground/Time.ts"

/** One picture of a camera as JPEG. */
export interface Picture {
  readonly jpeg: Buffer
  readonly width: number
  readonly height: number
  /** when it reached us from the camera */
  readonly captured: Moment
}

/** The latest picture of one stream, and a place to wait for the next. */
export interface Pictures {
  readonly latest: () => Picture | undefined
  /** the next one to arrive */
  readonly next: Effect.Effect<Picture>
  readonly put: (picture: Picture) => void
}

export const makePictures = (): Pictures => {
  let latest: Picture | undefined
  let waiting: Deferred.Deferred<Picture> | undefined
  return {
    latest: () => latest,
    next: Effect.suspend(() => Deferred.await((waiting ??= Deferred.makeUnsafe<Picture>()))),
    put: (picture) => {
      latest = picture
      if (waiting === undefined) return
      Deferred.doneUnsafe(waiting, Effect.succeed(picture))
      waiting = undefined
    }
  }
}
