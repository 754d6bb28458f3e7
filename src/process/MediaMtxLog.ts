import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import { lineSplitter, maskSecrets } from "./Lines.ts"

const maxLineBytes = 400
const maxTexts = 10

/**
 * Logs what MediaMTX prints: once a second at most, each text once with its count. `onLine` sees every line, without its
 * time and without credentials.
 */
export const relog = <E>(output: Stream.Stream<Uint8Array, E>, onLine: (line: string) => void): Effect.Effect<void> => {
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
  return output.pipe(
    Stream.map((chunk) => linesOf(() => splitter.push(chunk))),
    Stream.concat(Stream.sync(() => linesOf(splitter.flush))),
    Stream.flattenIterable,
    Stream.groupedWithin(1000, "1 second"),
    Stream.runForEach((group) => {
      const counts = new Map<string, number>()
      for (const line of group) counts.set(line, (counts.get(line) ?? 0) + 1)
      const texts = [...counts].slice(0, maxTexts).map(([line, n]) => (n === 1 ? line : `${line} (${n} times)`))
      const log = group.some((line) => /^(WAR|ERR)/.test(line)) ? Effect.logWarning : Effect.logDebug
      return log("MediaMTX says").pipe(Effect.annotateLogs({ lines: texts, count: group.length }))
    }),
    Effect.ignore
  )
}
