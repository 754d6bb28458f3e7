import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Queue from "effect/Queue"
import { join } from "node:path"
import type { Disk } from "../ground/Disk.ts"
import { inotifyAdvice } from "../ground/Inotify.ts"
import { temporaryPrefix } from "../storage/NewFile.ts"
import { makeTrouble } from "../telemetry/Trouble.ts"

/** How often the folder is read where it cannot be watched: a hundred thousand names take 60 ms. */
const poll = Duration.seconds(2)
/** The kernel tells what happened in a folder within a millisecond, in order. */
const markTime = Duration.seconds(1)

interface Listener {
  /** a name appeared in the folder, or something happened to what has it */
  readonly heard: (name: string) => void
  /** whether the folder is to be read where it cannot be watched: somebody waits for what comes */
  readonly isAwake: () => boolean
  /** names that are heard again then, each time that it is read */
  readonly unsettled: () => Iterable<string>
  /** returns when another folder has this path than before */
  readonly moved: Effect.Effect<unknown>
}

/** Hears of all that happens in a folder, for as long as the scope lives: by the kernel, or by reading it again and again. */
export const hearNames = Effect.fnUntraced(function* (
  disk: Disk["Service"],
  folder: string,
  { heard, isAwake, moved, unsettled }: Listener
) {
  const marks = new Map<string, Deferred.Deferred<void>>()
  let markCount = 0
  const hear = (name: string): void => {
    heard(name)
    const mark = marks.get(name)
    if (mark !== undefined) Deferred.doneUnsafe(mark, Effect.void)
  }

  const trouble = makeTrouble()
  let seen: ReadonlySet<string> | undefined
  /** Hears of what has come since the last time. */
  const read = Effect.gen(function* () {
    const names = yield* disk.names(folder)
    const before = seen
    seen = new Set(names)
    if (before === undefined && !isAwake()) return
    for (const name of names) if (before?.has(name) !== true) hear(name)
    for (const name of unsettled()) hear(name)
  }).pipe(
    Effect.andThen(trouble.isOver("the folder of recordings can be read again")),
    Effect.catch((error) => trouble.began("the folder of recordings cannot be read", error))
  )
  const readOnAndOn = Effect.forever(
    Effect.andThen(
      Effect.suspend(() => (isAwake() ? read : Effect.void)),
      Effect.sleep(poll)
    )
  )

  let isWatched = false
  const watch = Effect.gen(function* () {
    const names = yield* disk.watch(folder)
    isWatched = true
    return yield* Effect.forever(Effect.map(Queue.take(names), hear), { disableYield: true })
  }).pipe(
    Effect.scoped,
    Effect.catch((error) => {
      isWatched = false
      return Effect.logWarning(
        "the folder of recordings cannot be watched: it is read again and again",
        inotifyAdvice(error.code) ?? error
      )
    }),
    Effect.andThen(readOnAndOn)
  )
  yield* Effect.forkScoped(Effect.forever(Effect.raceFirst(watch, moved)), { startImmediately: true })

  const awaitMark = Effect.fnUntraced(function* (otherwise: Effect.Effect<unknown>) {
    const name = `${temporaryPrefix}mark-${markCount++}`
    const mark = yield* Deferred.make<void>()
    marks.set(name, mark)
    const path = join(folder, name)
    yield* Effect.scoped(disk.create(path, 0o600)).pipe(
      Effect.andThen(Deferred.await(mark)),
      Effect.timeout(markTime),
      // a disk that takes not even a name
      Effect.catch(() => otherwise),
      Effect.ensuring(Effect.ignore(disk.removeAll(path))),
      Effect.ensuring(Effect.sync(() => marks.delete(name)))
    )
  })

  return {
    /** where the kernel does not tell, what is there has been heard when it returns */
    begin: Effect.suspend(() => (isWatched ? Effect.void : read)),
    /**
     * Returns when all that happened in the folder before has been heard: a file made now is heard after it. `otherwise`:
     * what is done where that cannot be known
     */
    caughtUp: (otherwise: Effect.Effect<unknown>) => Effect.suspend(() => (isWatched ? awaitMark(otherwise) : read))
  }
})
