import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Latch from "effect/Latch"
import type * as Scope from "effect/Scope"
import type { Disk } from "../ground/Disk.ts"
import type { FileIndex } from "../storage/FileIndex.ts"
import type { Grown } from "../storage/IndexedFile.ts"
import { looseAnswer } from "../storage/SharedAnswer.ts"

/** How often files are looked at that should grow. */
const every = Duration.seconds(1)
/** At every so manieth look the index is told: each time that it is written the file system's journal is, too. */
const toldEvery = 5

/** A recording that wants to know whether its file grows. */
interface Follower {
  /** the file that is written now; undefined: none is */
  readonly written: () => string | undefined
  readonly grew: (filename: string) => void
  /** as it was seen last */
  last: { readonly filename: string; readonly bytes: number } | undefined
}

/**
 * Looks every second at all files that are written, with one question to the disk: one that hangs holds no more than that,
 * and nobody hears of growth until it has answered. Gives what follows a recording's files for as long as the scope lives.
 */
export const watchGrowth = Effect.fnUntraced(function* (
  disk: Disk["Service"],
  folder: string,
  index: Pick<FileIndex["Service"], "grew">
) {
  const scope = yield* Effect.scope
  const followers = new Set<Follower>()
  const isFollowed = yield* Latch.make(false)
  let looks = 0
  /** By filename; a camera of few frames gives none between two looks, mostly. */
  const untold = new Map<string, Grown>()

  const look = Effect.gen(function* () {
    const asked = [...followers].flatMap((follower) => {
      const filename = follower.written()
      return filename === undefined ? [] : [{ follower, filename }]
    })
    if (asked.length === 0) return
    const states = yield* disk.states(
      folder,
      asked.map(({ filename }) => filename)
    )
    for (const [i, { filename, follower }] of asked.entries()) {
      const state = states[i]
      if (state === undefined) continue
      const { bytes, modified } = state
      const before = follower.last
      follower.last = { filename, bytes }
      if (before?.filename !== filename || bytes <= before.bytes) continue
      untold.set(filename, { filename, bytes, modified })
      follower.grew(filename)
    }
    if (++looks % toldEvery > 0 || untold.size === 0) return
    const grown = [...untold.values()]
    untold.clear()
    // beside: a disk that is slow to take it says nothing of the files
    yield* Effect.forkIn(index.grew(grown), scope)
  }).pipe(Effect.ignore)

  yield* Effect.forkScoped(
    Effect.forever(isFollowed.await.pipe(Effect.andThen(Effect.sleep(every)), Effect.andThen(looseAnswer(look))))
  )

  return (written: Follower["written"], grew: Follower["grew"]): Effect.Effect<void, never, Scope.Scope> =>
    Effect.acquireRelease(
      Effect.sync(() => {
        const follower: Follower = { written, grew, last: undefined }
        followers.add(follower)
        isFollowed.openUnsafe()
        return follower
      }),
      (follower) =>
        Effect.sync(() => {
          followers.delete(follower)
          if (followers.size === 0) isFollowed.closeUnsafe()
        })
    )
})
