import * as Effect from "effect/Effect"
import * as Schedule from "effect/Schedule"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import { ownUrl } from "../files.ts"
import type { Session } from "../session/Session.ts"
import { FileParts, growTime } from "./FileParts.ts"

/** Why a recording does not play. */
export class PlaybackFailed extends Schema.TaggedError<PlaybackFailed>()("PlaybackFailed", {
  message: Schema.String
}) {}

/** Epoch milliseconds, and whether there is a picture of that time. */
export type Tell = (at: number) => void

/** So many seconds are loaded ahead, and kept behind: stepping back needs no request. */
const ahead = 20
const behind = 30
const look = "100 millis"
/** A file that was just begun has no parts for so many seconds, mostly. */
const mostTries = 5
const endMillis = 1000
const monthMillis = 30 * 86_400_000

/**
 * Plays what was recorded of a camera from a time on, across files and gaps, until it is interrupted. The files are put one
 * behind the other on one scale (Media Source Extensions, `timestampOffset`), of which only the parts that are needed are
 * fetched.
 */
export const playRecorded = (
  video: HTMLVideoElement,
  device: string,
  at: number,
  session: Session,
  tell: Tell
): Effect.Effect<never, PlaybackFailed, Scope.Scope> =>
  Effect.gen(function* () {
    const source = yield* attached(video)
    /** second 0 of the element's time */
    const base = at - 3_600_000
    const positionOf = (time: number) => (time - base) / 1000
    let buffer: SourceBuffer | undefined
    let wanted: number | undefined = at
    // what ended just before still has a picture to show
    let from = at - endMillis
    const played = new Set<string>()
    yield* followed(video, (position) => {
      if (wanted === undefined) tell(base + position * 1000)
    })

    while (true) {
      const { files } = yield* asked(
        session.ask((call) =>
          call.get_recorded_files({
            device,
            from: new Date(from).toISOString(),
            to: new Date(from + monthMillis).toISOString(),
            limit: 20
          })
        )
      )
      const others = files.filter(({ filename }) => !played.has(filename))
      if (others.length === 0) {
        if (wanted !== undefined) {
          const end = buffer === undefined ? 0 : endOf(buffer)
          if (end === 0) return yield* new PlaybackFailed({ message: "Nothing is recorded from there on." })
          video.currentTime = end - 0.05
          wanted = undefined
        }
        // the last picture stays, and what is recorded next follows
        leap(video, video)
        yield* Effect.sleep(growTime)
        continue
      }
      for (const file of others) {
        played.add(file.filename)
        const begin = Date.parse(file.start)
        const isWritten = file.recording === true
        const { download_url, init_bytes, mime_type, ...first } = yield* firstParts(session, file.filename, isWritten)
        const parts = new FileParts(first, isWritten, {
          parts: (offset) => asked(partsOf(session, file.filename, offset)),
          isWritten: asked(stillWritten(session, device, file))
        })
        if (!MediaSource.isTypeSupported(mime_type)) {
          return yield* new PlaybackFailed({ message: `This browser cannot play ${mime_type}.` })
        }
        if (buffer === undefined) {
          buffer = source.addSourceBuffer(mime_type)
          source.duration = Number.POSITIVE_INFINITY
        } else buffer.changeType(mime_type)
        buffer.timestampOffset = positionOf(begin)
        yield* append(buffer, yield* range(session, download_url, 0, init_bytes - 1))

        let next = wanted === undefined ? 0 : yield* parts.at((wanted - begin) / 1000)
        while (true) {
          const chunk = yield* parts.chunk(next)
          if (chunk === undefined) break
          yield* append(buffer, yield* range(session, download_url, chunk.first, chunk.last))
          next = chunk.next
          if (wanted !== undefined && buffer.buffered.length > 0) {
            // a keyframe may come a little before its time
            if (endOf(buffer) > positionOf(wanted)) {
              video.currentTime = Math.max(buffer.buffered.start(0) + 0.01, positionOf(wanted))
              wanted = undefined
            }
          }
          if (wanted === undefined) yield* roomFor(video, buffer)
        }
        from = Math.max(from + 1, Date.parse(file.end))
      }
    }
  })

const asked = <A, E>(effect: Effect.Effect<A, E>): Effect.Effect<A, PlaybackFailed> =>
  Effect.mapError(
    effect,
    (error) => new PlaybackFailed({ message: error instanceof Error ? error.message : String(error) })
  )

const partsOf = (session: Session, filename: string, offset: number) =>
  session.ask((call) => call.get_recording_parts({ filename, offset, limit: 5000 }))

/** Waits for them where there are none yet, or they are still looked for. */
const firstParts = (session: Session, filename: string, isWritten: boolean) =>
  asked(
    Effect.retry(partsOf(session, filename, 0), {
      while: (error) => error._tag === "InvalidState" && (isWritten || error.state === "BEING_READ"),
      schedule: Schedule.spaced(growTime),
      times: mostTries
    })
  )

const stillWritten = (
  session: Session,
  device: string,
  { filename, start }: { readonly filename: string; readonly start: string }
) =>
  Effect.map(
    session.ask((call) =>
      call.get_recorded_files({
        device,
        from: start,
        to: new Date(Date.parse(start) + 1000).toISOString(),
        limit: 20
      })
    ),
    ({ files }) => files.some((file) => file.filename === filename && file.recording === true)
  )

const attached = (video: HTMLVideoElement): Effect.Effect<MediaSource, never, Scope.Scope> =>
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

const followed = (video: HTMLVideoElement, tell: (position: number) => void): Effect.Effect<void, never, Scope.Scope> =>
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

const append = (buffer: SourceBuffer, bytes: ArrayBuffer): Effect.Effect<void, PlaybackFailed> =>
  Effect.try({
    try: () => buffer.appendBuffer(bytes),
    catch: (cause) => new PlaybackFailed({ message: `The browser takes no more video: ${String(cause)}` })
  }).pipe(Effect.andThen(Effect.suspend(() => (buffer.updating ? event(buffer, "updateend") : Effect.void))))

/** Bytes of a file. The header counts more than the URL's signature, which ends while a long file plays. */
export const range = (
  session: Session,
  url: string,
  first: number,
  last: number
): Effect.Effect<ArrayBuffer, PlaybackFailed> =>
  Effect.tryPromise({
    try: async (signal) => {
      const response = await fetch(ownUrl(url), {
        headers: { authorization: session.bearer(), range: `bytes=${first}-${last}` },
        // a browser that keeps a piece asks whether the file is the same (If-Range): one that grows is not, and comes whole
        cache: "no-store",
        signal
      })
      if (response.status !== 206) throw new Error(`status ${response.status}`)
      return response.arrayBuffer()
    },
    catch: (cause) => new PlaybackFailed({ message: `The recording cannot be read: ${String(cause)}` })
  })

/** Waits until more is needed; leaps over gaps meanwhile, and lets go of what was seen long ago. */
const roomFor = Effect.fnUntraced(function* (video: HTMLVideoElement, buffer: SourceBuffer) {
  while (true) {
    leap(video, buffer)
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

const endOf = ({ buffered }: SourceBuffer): number => (buffered.length === 0 ? 0 : buffered.end(buffered.length - 1))

/** A player stops at a gap by itself: what is behind it is what comes next. */
const leap = (video: HTMLVideoElement, { buffered }: { readonly buffered: TimeRanges }): void => {
  for (let index = 1; index < buffered.length; index++) {
    const [end, start] = [buffered.end(index - 1), buffered.start(index)]
    if (video.currentTime >= end - 0.15 && video.currentTime < start) video.currentTime = start + 0.01
  }
}
