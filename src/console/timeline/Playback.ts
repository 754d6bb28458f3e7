import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import { ownUrl } from "../files.ts"
import type { Session } from "../session/Session.ts"

/** Why a recording does not play. */
export class PlaybackFailed extends Schema.TaggedError<PlaybackFailed>()("PlaybackFailed", {
  message: Schema.String
}) {}

/** Epoch milliseconds, and whether there is a picture of that time. */
export type Tell = (at: number) => void

/** So many seconds are loaded ahead, and kept behind: stepping back needs no request. */
const ahead = 20
const behind = 30
/** One request: what a network that is slow brings in a second or two. */
const chunkBytes = 1 << 20
const chunkSeconds = 4
const look = "100 millis"
/** A file that is still written is asked for what is new. */
const growTime = "1 second"
const mostSilences = 5
const monthMillis = 30 * 86_400_000

interface Part {
  readonly offset: number
  readonly length: number
  readonly start: number
  readonly duration: number
  readonly keyframe: number
}

/**
 * Plays what was recorded of a camera from a time on, across files and gaps, until it is interrupted. The files are put one behind the other on one scale (Media Source Extensions, `timestampOffset`), of which only the parts that
 * are needed are fetched.
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
    let from = at
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
        if (wanted !== undefined) return yield* new PlaybackFailed({ message: "Nothing is recorded from there on." })
        // the last picture stays, and what is recorded next follows
        leap(video, video)
        yield* Effect.sleep(growTime)
        continue
      }
      for (const file of others) {
        played.add(file.filename)
        const begin = Date.parse(file.start)
        const { init_bytes, mime_type, ...first } = yield* partsOf(session, file.filename, 0)
        const parts = [...first.parts]
        let { download_url } = first
        if (!MediaSource.isTypeSupported(mime_type)) {
          return yield* new PlaybackFailed({ message: `This browser cannot play ${mime_type}.` })
        }
        if (buffer === undefined) {
          buffer = source.addSourceBuffer(mime_type)
          source.duration = Number.POSITIVE_INFINITY
        } else buffer.changeType(mime_type)
        buffer.timestampOffset = positionOf(begin)
        yield* append(buffer, yield* range(download_url, 0, init_bytes - 1))

        let next = wanted === undefined ? 0 : partBefore(parts, (wanted - begin) / 1000)
        let silences = 0
        while (true) {
          const chunk = chunkFrom(parts, next)
          if (chunk === undefined) {
            if (file.recording !== true || silences > mostSilences) break
            yield* Effect.sleep(growTime)
            const more = yield* partsOf(session, file.filename, parts.length)
            silences = more.parts.length === 0 ? silences + 1 : 0
            parts.push(...more.parts)
            download_url = more.download_url
            continue
          }
          yield* append(buffer, yield* range(download_url, chunk.first, chunk.last))
          next = chunk.next
          if (wanted !== undefined && buffer.buffered.length > 0) {
            const [start, end] = [buffer.buffered.start(0), buffer.buffered.end(buffer.buffered.length - 1)]
            // a keyframe may come a little before its time
            if (end > positionOf(wanted)) {
              video.currentTime = Math.max(start + 0.01, positionOf(wanted))
              wanted = undefined
            }
          }
          yield* roomFor(video, buffer)
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
  asked(session.ask((call) => call.get_recording_parts({ filename, offset, limit: 5000 })))

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

const range = (url: string, first: number, last: number): Effect.Effect<ArrayBuffer, PlaybackFailed> =>
  Effect.tryPromise({
    try: async (signal) => {
      const response = await fetch(ownUrl(url), { headers: { range: `bytes=${first}-${last}` }, signal })
      if (response.status !== 206) throw new Error(`status ${response.status}`)
      return response.arrayBuffer()
    },
    catch: (cause) => new PlaybackFailed({ message: `The recording cannot be read: ${String(cause)}` })
  })

/** The last part whose first keyframe is not after this second of the file. */
export const partBefore = (parts: ReadonlyArray<Part>, at: number): number => {
  let found = 0
  for (const [index, { keyframe }] of parts.entries()) {
    if (keyframe <= at) found = index
    else break
  }
  return found
}

/** The bytes of some parts from `next` on, which lie one behind the other: a few seconds, for it is waited for the first. */
export const chunkFrom = (parts: ReadonlyArray<Part>, next: number) => {
  const begin = parts[next]
  if (begin === undefined) return undefined
  let end = begin.offset + begin.length
  let index = next + 1
  while (true) {
    const part = parts[index]
    if (part === undefined || part.offset !== end || part.start - begin.start > chunkSeconds) break
    if (end + part.length - begin.offset > chunkBytes) break
    end += part.length
    index++
  }
  return { first: begin.offset, last: end - 1, next: index }
}

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
    const end = buffered.length === 0 ? 0 : buffered.end(buffered.length - 1)
    if (end - currentTime < ahead) return
    yield* Effect.sleep(look)
  }
})

/** A player stops at a gap by itself: what is behind it is what comes next. */
const leap = (video: HTMLVideoElement, { buffered }: { readonly buffered: TimeRanges }): void => {
  for (let index = 1; index < buffered.length; index++) {
    const [end, start] = [buffered.end(index - 1), buffered.start(index)]
    if (video.currentTime >= end - 0.15 && video.currentTime < start) video.currentTime = start + 0.01
  }
}
