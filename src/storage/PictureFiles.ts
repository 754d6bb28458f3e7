import { SecureRandom } from "effect/crypto/SecureRandom"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Scope from "effect/Scope"
import * as Semaphore from "effect/Semaphore"
import { join } from "node:path"
import type { Disk } from "../ground/Disk.ts"
import type { OpenFile } from "../ground/OpenFile.ts"
import type { DiskError } from "../ground/DiskError.ts"
import type { Unsynced } from "./BackgroundSync.ts"
import { nameNew, temporaryPrefix } from "./NewFile.ts"

/** A picture that has its name. */
export interface Written extends Created {
  readonly path: string
  /** how often names had changed by then */
  readonly since: number
}

interface Created {
  /** epoch milliseconds */
  readonly modified: number
  /** undefined: the bytes are another name's, too, which has them synced */
  readonly unsynced: Unsynced | undefined
}

/** Gives a file that was written aside its name; false where it may not have it. */
type Give = (aside: string, file: OpenFile) => Effect.Effect<boolean, DiskError>

/** Pictures that are written, and names that are given, at one time: the other threads of libuv's are the rest of the service's. */
const atOnce = 8

/**
 * How pictures come into their folder and go from it. Each of these gives undefined where something has the name that must
 * not be replaced.
 */
export const pictureFiles = Effect.fnUntraced(function* (disk: Disk["Service"], folder: string) {
  const { uuidV4 } = yield* SecureRandom
  /** Held for a step: one by each who counts on what a name stands for, all by who changes it. */
  const names = Semaphore.makeUnsafe(atOnce)
  /** Passed before that, and held by who changes one: who wants one alone would else go before for as long as more of them come. */
  const turn = Semaphore.makeUnsafe(1)
  /** how often a name has come to stand for something else, or nothing */
  let changes = 0
  const writing = Semaphore.makeUnsafe(atOnce)
  const changing = <A>(step: Effect.Effect<A, DiskError>) =>
    Effect.suspend(() => {
      changes++
      return step
    }).pipe(names.withPermits(atOnce), turn.withPermit)

  const writeAs = Effect.fnUntraced(function* (bytes: Uint8Array, path: string, give: Give) {
    const since = changes
    const aside = join(folder, `${temporaryPrefix}${yield* uuidV4()}`)
    const created = yield* createFile(disk, aside, bytes, give)
    return created && ({ path, since, ...created } satisfies Written)
  }, writing.withPermit)
  const addAlone = (bytes: Uint8Array, path: string) => writeAs(bytes, path, (aside) => nameNew(disk, aside, path))

  /** `forget` comes when the new picture is on the disk, right before the old one goes. */
  const replace = (bytes: Uint8Array, path: string, forget: Effect.Effect<void, DiskError>) =>
    writeAs(bytes, path, (aside, file) =>
      file.sync.pipe(Effect.andThen(forget), Effect.andThen(changing(disk.rename(aside, path))), Effect.as(true))
    )

  /** What became of the bytes that were written last; they are known by their object, which nobody changes. */
  const written = new WeakMap<Uint8Array, Deferred.Deferred<Written | undefined, DiskError>>()

  /**
   * Who asks for a picture that another one has just been given, which many do at once, gets one more name of the same
   * file: a step instead of five, and its bytes lie on the disk once. Each name is deleted for itself.
   */
  const add = Effect.fnUntraced(function* (bytes: Uint8Array, path: string) {
    const known = written.get(bytes)
    if (known === undefined) {
      const mine = Deferred.makeUnsafe<Written | undefined, DiskError>()
      written.set(bytes, mine)
      return yield* addAlone(bytes, path).pipe(Effect.onExit((exit) => Deferred.done(mine, exit)))
    }
    const first = yield* Effect.orElseSucceed(Deferred.await(known), () => undefined)
    if (first === undefined) return yield* addAlone(bytes, path)
    const linked = Effect.suspend(() =>
      // its name may stand for another picture by now
      first.since === changes ? disk.link(first.path, path).pipe(Effect.as("done")) : Effect.succeed("anew")
    ).pipe(
      // the file may have as many names as it may, or be on a disk without links
      Effect.catch(({ code }) => Effect.succeed(code === "EEXIST" ? "taken" : "anew")),
      names.withPermit
    )
    yield* turn.withPermit(Effect.void)
    const how = yield* linked
    if (how === "anew") return yield* addAlone(bytes, path)
    return how === "taken" ? undefined : { ...first, path, unsynced: undefined }
  })

  return { add, addAlone, replace, remove: (path: string) => changing(disk.remove(path)) }
})

/** Writes aside, then gives it its name, whole; undefined when it does not get it, since something has it. */
const createFile = Effect.fnUntraced(function* (disk: Disk["Service"], aside: string, bytes: Uint8Array, give: Give) {
  const scope = yield* Scope.make()
  const created = Effect.gen(function* () {
    const file = yield* Scope.provide(disk.create(aside, 0o640), scope)
    yield* file.append(bytes)
    const { modified } = yield* file.state
    const written: Created = { modified: Math.floor(modified), unsynced: { file, scope } }
    return (yield* give(aside, file)) ? written : undefined
  })
  return yield* created.pipe(
    Effect.onExit((exit) =>
      Exit.isSuccess(exit) && exit.value !== undefined ? Effect.void : Scope.close(scope, Exit.void)
    ),
    Effect.ensuring(Effect.ignore(disk.remove(aside)))
  )
})
