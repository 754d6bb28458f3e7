import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Queue from "effect/Queue"
import type { FileIndex } from "../storage/FileIndex.ts"
import type { Holds } from "../storage/Holds.ts"
import { contentTypeOf, parseFileName } from "../storage/Names.ts"

/** What a recording looks after is told of within milliseconds; this is for what nobody waits for. */
const pause = Duration.seconds(5)
/** So many at once: once there are fewer again, the whole folder is walked, which costs less than to remember more. */
const most = 1000
/** Files a turn: a millisecond of SQLite, then others may run. */
const batch = 50

/**
 * Recordings that change though no recording of ours looks after them: MediaMTX writes on where it was told to stop and
 * did not hear it, or somebody has it record by hand, copies files into the folder, or deletes some. The index follows
 * them until they are still. Gives what is to be told each name in the folder that something happened to.
 */
export const makeOtherFiles = Effect.fnUntraced(function* (index: FileIndex["Service"], holds: Holds["Service"]) {
  const changing = new Set<string>()
  let hasMissed = false
  const awake = yield* Queue.sliding<void>(1)

  const heard = (name: string): void => {
    if (changing.has(name) || changing.size === most) return
    if (parseFileName(name) === undefined || contentTypeOf("recording", name) === undefined) return
    changing.add(name)
    if (changing.size === 1) Queue.offerUnsafe(awake, undefined)
  }

  /** Those that are looked after come to their turn when they are not any more. */
  const lookAtSome = Effect.fnUntraced(function* (names: ReadonlyArray<string>) {
    const others = names.filter((name) => !holds.isWritten("recording", name))
    const isOther = new Set(others)
    for (const name of names) if (!isOther.has(name)) heard(name)
    if (others.length === 0) return
    const changed = yield* Effect.orElseSucceed(index.look(others), () => others)
    for (const name of changed) heard(name)
  })

  const look = Effect.gen(function* () {
    const names = [...changing]
    changing.clear()
    if (names.length === most) {
      hasMissed = true
      return yield* Queue.offer(awake, undefined)
    }
    if (hasMissed) yield* index.doubt
    hasMissed = false
    for (let i = 0; i < names.length; i += batch) {
      yield* lookAtSome(names.slice(i, i + batch))
      yield* Effect.yieldNow
    }
  }).pipe(
    Effect.catchDefect((defect) => {
      hasMissed = true
      return Effect.logError("changed recordings could not be looked at", defect)
    })
  )
  yield* Effect.forkScoped(
    Effect.forever(Queue.take(awake).pipe(Effect.andThen(Effect.sleep(pause)), Effect.andThen(look)))
  )
  return heard
})
