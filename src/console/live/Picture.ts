import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"

/** Shows this, until the scope closes. */
export const shown = (video: HTMLVideoElement, media: MediaStream): Effect.Effect<void, never, Scope.Scope> =>
  Effect.acquireRelease(
    Effect.sync(() => void (video.srcObject = media)),
    () =>
      Effect.sync(() => {
        // the next one may be there already
        if (video.srcObject === media) video.srcObject = null
      })
  )

/** A picture is to be seen in this element. */
export const firstPicture = (video: HTMLVideoElement): Effect.Effect<void> =>
  Effect.callback<void>((resume) => {
    const handle = video.requestVideoFrameCallback(() => resume(Effect.void))
    // muted: no browser refuses it; a play() that a new source interrupts is no failure
    video.play().catch(() => undefined)
    return Effect.sync(() => video.cancelVideoFrameCallback(handle))
  })

/** There is a picture in this: looked at in an element that nobody sees. */
export const pictureOf = (media: MediaStream): Effect.Effect<void> =>
  Effect.acquireUseRelease(
    Effect.sync((): HTMLVideoElement =>
      Object.assign(document.createElement("video"), { muted: true, srcObject: media })
    ),
    (unseen) =>
      Effect.callback<void>((resume) => {
        unseen.addEventListener("loadeddata", () => resume(Effect.void), { once: true })
        unseen.play().catch(() => undefined)
      }),
    (unseen) => Effect.sync(() => void (unseen.srcObject = null))
  )
