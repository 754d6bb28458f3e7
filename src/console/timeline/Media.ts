import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"

/** Why a recording does not play. */
export class PlaybackFailed extends Schema.TaggedError<PlaybackFailed>()("PlaybackFailed", {
  message: Schema.String
}) {}

/** So many seconds are loaded ahead, and kept behind: stepping back needs no request. */
const ahead = 20
const behind = 30
const look = "100 millis"

/** What a player does where it comes to the end of what it has. */
export type AtGap = (video: HTMLVideoElement, buffered: TimeRanges) => void

/** A source of this element that takes what is put to it (Media Source Extensions), until the scope closes. */
export const attached = (video: HTMLVideoElement): Effect.Effect<MediaSource, never, Scope.Scope> =>
  Effect.gen(function* () {
    const source = new MediaSource()
    yield* Effect.acquireRelease(
      Effect.sync(() => {
        const url = URL.createObjectURL(source)
        video.src = url
        return url
      }),
      (url) =>
        Effect.sync(() => {
          URL.revokeObjectURL(url)
          // the next one may be there already
          if (video.src !== url) return
          video.removeAttribute("src")
          video.load()
        })
    )
    yield* event(source, "sourceopen")
    return source
  })

const event = (target: EventTarget, name: string): Effect.Effect<void> =>
  Effect.callback<void>((resume) => {
    const came = () => resume(Effect.void)
    target.addEventListener(name, came, { once: true })
    return Effect.sync(() => target.removeEventListener(name, came))
  })

/** Has it told where the element is, as it plays and when it was moved. */
export const followed = (
  video: HTMLVideoElement,
  tell: (position: number) => void
): Effect.Effect<void, never, Scope.Scope> =>
  Effect.acquireRelease(
    Effect.sync(() => {
      const told = () => tell(video.currentTime)
      video.addEventListener("timeupdate", told)
      video.addEventListener("seeked", told)
      return told
    }),
    (told) =>
      Effect.sync(() => {
        video.removeEventListener("timeupdate", told)
        video.removeEventListener("seeked", told)
      })
  )

export const append = (buffer: SourceBuffer, bytes: ArrayBuffer): Effect.Effect<void, PlaybackFailed> =>
  Effect.try({
    try: () => buffer.appendBuffer(bytes),
    catch: (cause) => new PlaybackFailed({ message: `The browser takes no more video: ${String(cause)}` })
  }).pipe(Effect.andThen(Effect.suspend(() => (buffer.updating ? event(buffer, "updateend") : Effect.void))))

/** Waits until more is needed; minds gaps meanwhile, and lets go of what was seen long ago. */
export const roomFor = Effect.fnUntraced(function* (video: HTMLVideoElement, buffer: SourceBuffer, atGap: AtGap) {
  while (true) {
    atGap(video, buffer.buffered)
    const { currentTime } = video
    const { buffered } = buffer
    if (buffered.length > 0 && buffered.start(0) < currentTime - 2 * behind && !buffer.updating) {
      buffer.remove(0, currentTime - behind)
      yield* event(buffer, "updateend")
    }
    if (endOf(buffer) - currentTime < ahead) return
    yield* Effect.sleep(look)
  }
})

export const endOf = ({ buffered }: SourceBuffer): number =>
  buffered.length === 0 ? 0 : buffered.end(buffered.length - 1)

/** A player stops at a gap by itself: what is behind it is what comes next. */
export const leap: AtGap = (video, buffered) => {
  for (let index = 1; index < buffered.length; index++) {
    const [end, start] = [buffered.end(index - 1), buffered.start(index)]
    if (video.currentTime >= end - 0.15 && video.currentTime < start) video.currentTime = start + 0.01
  }
}
