import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Ref from "effect/Ref"
import * as Semaphore from "effect/Semaphore"
import * as SubscriptionRef from "effect/SubscriptionRef"
import { Disk } from "../ground/Disk.ts"
import { type BadConfiguration, problemText } from "./BadConfiguration.ts"
import { keys, sections, masked } from "./Keys.ts"
import { type Configuration, configurationOf, mostBytes, type Origin, tooLarge } from "./Load.ts"
import type { Settings } from "./Settings.ts"
import { watchFiles } from "./WatchedFiles.ts"

/** So long the file has to stay as it is: whoever writes it has ended by then. */
const quiet = Duration.seconds(1)

/** So many problems are told in one line of the log; `config check` tells all. */
const mostTold = 20

/** The file's text, or why it has none: an errno's name, or words. */
type Reading = { readonly text: string } | { readonly why: string }

export interface Running {
  readonly from: Origin & { readonly file: string }
  /** what the service has started with, and the file's text then */
  readonly configuration: Configuration
  readonly text: string
  readonly settings: Settings["Service"]
}

/**
 * Follows the configuration file for as long as the scope lives: what may change while the service runs does, what may not
 * is named, and a bad file changes nothing. What is given reads the file at once, whoever is writing it.
 */
export const followFile = Effect.fnUntraced(function* ({ configuration, from, settings, text }: Running) {
  const disk = yield* Disk
  const { file } = from
  const one = yield* Semaphore.make(1)
  let inForce = configuration
  let seen: Reading = { text }

  const taken = Effect.fnUntraced(function* (next: Configuration) {
    const changed = keys.filter(({ key }) => !same(next.values.get(key), inForce.values.get(key)))
    const now = changed.filter(({ changes }) => changes === "while it runs")
    inForce = next
    yield* Ref.set(
      settings.report,
      // in the same order: that of the keys
      next.report.map((one, at) => (one.changes === "while it runs" ? one : (configuration.report[at] ?? one)))
    )
    if (now.length > 0) {
      yield* SubscriptionRef.set(settings.live, next.live)
      const values = Object.fromEntries(now.map(({ key }) => [key, masked(key, next.values.get(key))]))
      yield* Effect.logInfo("the configuration has changed", values)
    }
    const later = keys.filter(
      ({ changes, key }) => changes === "at the start" && !same(next.values.get(key), configuration.values.get(key))
    )
    const waiting = later.map(({ key }) => key)
    yield* Ref.set(settings.unapplied, { refused: [], waiting, ignored: next.warnings })
    if (waiting.length > 0) {
      const names = waiting.join(", ")
      yield* Effect.logWarning(`the configuration has changed, but for these keys at the next start only: ${names}`)
    }
    if (now.length + waiting.length === 0) yield* Effect.logInfo("the configuration is as it was")
  })

  const refuse = (refused: ReadonlyArray<string>) =>
    Ref.update(settings.unapplied, (before) => ({ ...before, refused }))

  const refused = Effect.fnUntraced(function* ({ problems }: BadConfiguration) {
    const told = problems.slice(0, mostTold)
    yield* refuse(told.map(({ key, rule }) => (isKnown(key) ? `${key}: ${rule}` : rule)))
    yield* Effect.logWarning("the configuration file is refused, and the configuration stays as it was", {
      problems: told.map(problemText),
      ...(problems.length > mostTold ? { more_problems: problems.length - mostTold } : {})
    })
  })

  const unread = (why: string) =>
    Effect.andThen(
      refuse([`it ${why}`]),
      Effect.logWarning(`the configuration file ${file} ${why}, and the configuration stays as it was`)
    )

  const take = (next: Reading): Effect.Effect<void> =>
    Effect.suspend(() => {
      seen = next
      if ("why" in next) return unread(`cannot be read (${next.why})`)
      // who empties a file is about to fill it, or failed to
      if (next.text.trim() === "") return unread("is empty")
      return Effect.matchEffect(configurationOf(next.text, from), { onFailure: refused, onSuccess: taken })
    }).pipe(one.withPermit)

  /** What is no file (a pipe that nobody writes to, a device) may hold its reader for ever, or give without end. */
  const reading: Effect.Effect<Reading> = Effect.gen(function* () {
    const { bytes, kind } = yield* disk.state(yield* disk.realPath(file))
    if (kind !== "file") return { why: kind === "folder" ? "it is a folder" : "it is no file" }
    if (bytes > mostBytes) return { why: tooLarge }
    return { text: yield* disk.text(file) }
  }).pipe(Effect.catch(({ code }) => Effect.succeed({ why: code })))

  /** The file, once it is the same for a while; undefined: it is as it was. */
  const settled = Effect.gen(function* () {
    for (let before = yield* reading; ;) {
      if (same(before, seen)) return undefined
      yield* Effect.sleep(quiet)
      const now = yield* reading
      // or somebody asked for it meanwhile
      if (same(before, now)) return same(now, seen) ? undefined : now
      before = now
    }
  })

  const look = Effect.flatMap(settled, (next) => (next === undefined ? Effect.void : take(next)))
  yield* watchFiles("the configuration file", [file], look)
  return Effect.flatMap(reading, take)
})

/** What stands where a key should may be a secret. */
const isKnown = (name: string): boolean => sections.has(name) || keys.some(({ key }) => key === name)

const same = (a: unknown, b: unknown): boolean => JSON.stringify(a) === JSON.stringify(b)
