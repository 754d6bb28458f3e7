import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as PubSub from "effect/PubSub"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import type * as Take from "effect/Take"
import { lineSplitter } from "./Lines.ts"

/** One report of a running FFmpeg. */
export interface Progress {
  /** Frames written so far. */
  readonly frame: number
  /** How much time of the output is written, in microseconds. */
  readonly outTimeUs: number
}

const number = (text: string | undefined) => {
  const value = Number.parseFloat(text ?? "")
  return Number.isFinite(value) ? value : 0
}

/**
 * Reads FFmpeg's `-progress` blocks (`key=value` lines; `progress=` ends a block, fftools/ffmpeg.c). They are read whether
 * or not anyone listens: a full pipe would stop FFmpeg after some minutes.
 */
export const progressOf = (
  output: Stream.Stream<Uint8Array, unknown>
): Effect.Effect<Stream.Stream<Progress>, never, Scope.Scope> =>
  Effect.gen(function* () {
    const reports = yield* PubSub.sliding<Take.Take<Progress>>({ capacity: 4, replay: 1 })
    const block = new Map<string, string>()
    const splitter = lineSplitter(200, (line) => {
      const at = line.indexOf("=")
      if (at < 0) return
      const key = line.slice(0, at)
      block.set(key, line.slice(at + 1).trim())
      if (key !== "progress") return
      PubSub.publishUnsafe(reports, [
        {
          frame: number(block.get("frame")),
          outTimeUs: number(block.get("out_time_us"))
        }
      ])
      block.clear()
    })
    yield* output.pipe(
      Stream.runForEachArray((chunks) => Effect.sync(() => chunks.forEach(splitter.push))),
      Effect.ignore,
      Effect.ensuring(PubSub.end(reports, Exit.void)),
      Effect.forkScoped({ startImmediately: true })
    )
    return Stream.fromPubSubTake(reports)
  })
