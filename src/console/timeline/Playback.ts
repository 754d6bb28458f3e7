import * as Effect from "effect/Effect"
import * as Schedule from "effect/Schedule"
import type * as Scope from "effect/Scope"
import type { RecordedFiles } from "../../../schema/Timeline.ts"
import { ownUrl } from "../files.ts"
import type { Session } from "../session/Session.ts"
import { FileParts, growTime } from "./FileParts.ts"
import { append, attached, type AtGap, endOf, followed, PlaybackFailed, roomFor } from "./Media.ts"

type RecordedFile = (typeof RecordedFiles.Type)["files"][number]

/** Epoch milliseconds of the picture that is shown. */
export type Tell = (at: number) => void

/** A file that was just begun has no parts for so many seconds, mostly. */
const mostTries = 5
const endMillis = 1000
const monthMillis = 30 * 86_400_000

/** Epoch milliseconds of second 0 of an element's time. */
const bases = new WeakMap<HTMLVideoElement, number>()

/** The time that an element shows; undefined: nothing was ever played in it. */
export const timeIn = (video: HTMLVideoElement): number | undefined => {
  const base = bases.get(video)
  return base === undefined ? undefined : base + video.currentTime * 1000
}

/** Where this time is on the scale of an element. */
export const positionIn = (video: HTMLVideoElement, time: number): number => (time - (bases.get(video) ?? time)) / 1000

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
  tell: Tell,
  atGap: AtGap
): Effect.Effect<never, PlaybackFailed, Scope.Scope> =>
  Effect.gen(function* () {
    const source = yield* attached(video)
    const base = at - 3_600_000
    bases.set(video, base)
    const positionOf = (time: number) => (time - base) / 1000
    let buffer: SourceBuffer | undefined
    let wanted: number | undefined = at
    // what ended just before still has a picture to show
    let from = at - endMillis
    const played = new Set<string>()
    yield* followed(video, (position) => {
      if (wanted === undefined) tell(base + position * 1000)
    })

    /** A keyframe may come a little before its time. */
    const showWanted = (shown: SourceBuffer): void => {
      if (wanted === undefined || shown.buffered.length === 0 || endOf(shown) <= positionOf(wanted)) return
      video.currentTime = Math.max(shown.buffered.start(0) + 0.01, positionOf(wanted))
      wanted = undefined
    }

    /** The last picture stays, and what is recorded next follows. */
    const stay = Effect.gen(function* () {
      if (wanted !== undefined) {
        const end = buffer === undefined ? 0 : endOf(buffer)
        if (end === 0) return yield* new PlaybackFailed({ message: "Nothing is recorded from there on." })
        video.currentTime = end - 0.05
        wanted = undefined
      }
      atGap(video, video.buffered)
      yield* Effect.sleep(growTime)
    })

    /** The element's buffer, for a file of this type that begins then. */
    const bufferFor = (mimeType: string, begin: number): SourceBuffer => {
      if (buffer === undefined) {
        buffer = source.addSourceBuffer(mimeType)
        source.duration = Number.POSITIVE_INFINITY
      } else buffer.changeType(mimeType)
      buffer.timestampOffset = positionOf(begin)
      return buffer
    }

    /** To its end, or as far as it is written. */
    const playFile = Effect.fnUntraced(function* (file: RecordedFile) {
      const begin = Date.parse(file.start)
      const isWritten = file.recording === true
      const { download_url, init_bytes, mime_type, ...first } = yield* firstParts(session, file.filename, isWritten)
      if (!MediaSource.isTypeSupported(mime_type)) {
        return yield* new PlaybackFailed({ message: `This browser cannot play ${mime_type}.` })
      }
      const parts = new FileParts(first, isWritten, {
        parts: (offset) => asked(partsOf(session, file.filename, offset)),
        isWritten: asked(stillWritten(session, device, file))
      })
      const to = bufferFor(mime_type, begin)
      yield* append(to, yield* range(session, download_url, 0, init_bytes - 1))
      let next = wanted === undefined ? 0 : yield* parts.at((wanted - begin) / 1000)
      while (true) {
        const chunk = yield* parts.chunk(next)
        if (chunk === undefined) return
        yield* append(to, yield* range(session, download_url, chunk.first, chunk.last))
        next = chunk.next
        showWanted(to)
        if (wanted === undefined) yield* roomFor(video, to, atGap)
      }
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
      if (others.length === 0) yield* stay
      for (const file of others) {
        played.add(file.filename)
        yield* playFile(file)
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

/**
 * Bytes of a file. The header counts more than the URL's signature, which ends while a long file plays. What was on its way
 * with a token that has ended, and was renewed meanwhile, is asked for with the new one: a renewal is no new connection, with
 * which all is played anew.
 */
export const range = (
  session: Session,
  url: string,
  first: number,
  last: number
): Effect.Effect<ArrayBuffer, PlaybackFailed> =>
  Effect.suspend(() => {
    const bearer = session.bearer()
    const isRenewed = () => session.bearer() !== bearer
    const again = Effect.suspend(() => range(session, url, first, last))
    return Effect.catchIf(rangeWith(bearer, url, first, last), isRenewed, () => again)
  })

const rangeWith = (authorization: string, url: string, first: number, last: number) =>
  Effect.tryPromise({
    try: async (signal) => {
      const response = await fetch(ownUrl(url), {
        headers: { authorization, range: `bytes=${first}-${last}` },
        // a browser that keeps a piece asks whether the file is the same (If-Range): one that grows is not, and comes whole
        cache: "no-store",
        signal
      })
      if (response.status !== 206) throw new Error(`status ${response.status}`)
      return response.arrayBuffer()
    },
    catch: (cause) => new PlaybackFailed({ message: `The recording cannot be read: ${String(cause)}` })
  })
