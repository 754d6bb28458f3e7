import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import { monotonicNow } from "../ground/Time.ts"
import { kindOf } from "../telemetry/EndLog.ts"
import { lineSplitter } from "./Lines.ts"
import { maskSecrets } from "./MaskSecrets.ts"

const maxLineBytes = 400
/** Of one second. */
const maxTexts = 10
/** What goes on and on is said again after so long, with how often it came. */
const again = Duration.minutes(1)
/** Kinds of lines that are known at once; more are said as they come. */
const maxKinds = 200

const isTrouble = (line: string): boolean => /^(WAR|ERR)/.test(line)

/** A kind of line that was said, and how often it came since. */
interface Said {
  last: string
  at: number
  times: number
}

/** What MediaMTX said lately, by kind: one run of it after the other may end with the same words. */
export type SaidLately = Map<string, Said>

/**
 * Logs what one run of MediaMTX prints: once a second at most, each text once with its count; an error that comes again and
 * again is said once, and then once a minute. `onLine` sees every line, without its time and without credentials.
 */
export const relog = <E>(
  output: Stream.Stream<Uint8Array, E>,
  kinds: SaidLately,
  onLine: (line: string) => void
): Effect.Effect<void> =>
  Effect.gen(function* () {
    const now = yield* monotonicNow
    let lines: Array<string> = []
    const splitter = lineSplitter(maxLineBytes, (raw) => {
      const line = maskSecrets(raw.replace(/^\d{4}\/\d\d\/\d\d \S+ /, ""))
      lines.push(line)
      onLine(line)
    })
    const linesOf = (read: () => void) => {
      lines = []
      read()
      return lines
    }
    /** Whether it is to be said now. */
    const isNews = (line: string): boolean => {
      if (!isTrouble(line)) return true
      const kind = kindOf(line)
      const known = kinds.get(kind)
      if (known !== undefined) {
        known.last = line
        known.times++
        return false
      }
      if (kinds.size < maxKinds) kinds.set(kind, { last: line, at: now(), times: 0 })
      return true
    }

    const say = (texts: ReadonlyArray<string>, count: number) => {
      if (texts.length === 0) return Effect.void
      const log = texts.some(isTrouble) ? Effect.logWarning : Effect.logDebug
      return log("MediaMTX says").pipe(Effect.annotateLogs({ lines: texts.slice(0, maxTexts), count }))
    }

    /** Says how often a kind came again, and forgets those that did not. */
    const sayAgain = Effect.suspend(() => {
      const due = [...kinds].filter(([, { at }]) => now() - at >= Duration.toMillis(again))
      for (const [kind] of due) kinds.delete(kind)
      const repeated = due.filter(([, { times }]) => times > 0)
      for (const [kind, { last }] of repeated) kinds.set(kind, { last, at: now(), times: 0 })
      const texts = repeated.map(([, { at, last, times }]) => {
        const seconds = Math.round((now() - at) / 1000)
        return `${last} (${times} more times in ${seconds} s)`
      })
      return say(
        texts,
        repeated.reduce((all, [, { times }]) => all + times, 0)
      )
    })

    const everyNow = Effect.forever(Effect.delay(sayAgain, Duration.seconds(5)))
    const reading = output.pipe(
      Stream.map((chunk) => linesOf(() => splitter.push(chunk))),
      Stream.concat(Stream.sync(() => linesOf(splitter.flush))),
      Stream.flattenIterable,
      Stream.groupedWithin(1000, "1 second"),
      Stream.runForEach((group) => {
        const news = group.filter(isNews)
        const counts = new Map<string, number>()
        for (const line of news) counts.set(line, (counts.get(line) ?? 0) + 1)
        return say(
          [...counts].map(([line, times]) => (times === 1 ? line : `${line} (${times} times)`)),
          news.length
        )
      }),
      Effect.ignore
    )
    yield* Effect.raceFirst(reading, everyNow)
    yield* sayAgain
  })
