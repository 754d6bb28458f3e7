import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Queue from "effect/Queue"
import * as Scope from "effect/Scope"
import { dirname } from "node:path"
import { Disk } from "../ground/Disk.ts"
import { inotifyAdvice } from "../ground/Inotify.ts"

/** Where nothing is told (a network's disk, inotify used up), files are looked at all the same. */
const lookEvery = Duration.seconds(30)

/**
 * Runs `look` now, and each time that something may have happened to these files, for as long as the scope lives. Watched
 * are the folders of the files and of what they link to: editors, Kubernetes and ACME clients put new ones in their place.
 */
export const watchFiles = Effect.fnUntraced(function* <R>(
  what: string,
  files: ReadonlyArray<string>,
  look: Effect.Effect<void, never, R>
) {
  const disk = yield* Disk
  const scope = yield* Effect.scope
  const touched = yield* Queue.sliding<void>(1)
  let watched: { readonly folders: string; readonly scope: Scope.Closeable } | undefined

  const watchFolders = Effect.fnUntraced(function* (folders: ReadonlyArray<string>) {
    for (const folder of folders) {
      const names = yield* disk.watch(folder)
      const told = Effect.andThen(Queue.takeAll(names), Queue.offer(touched, undefined))
      yield* Effect.forkScoped(Effect.ignore(Effect.forever(told, { disableYield: true })))
    }
  })

  const watch = Effect.gen(function* () {
    const real = yield* Effect.forEach(files, (file) => Effect.orElseSucceed(disk.realPath(file), () => file))
    const folders = [...new Set([...files, ...real].map((file) => dirname(file)))]
    if (watched?.folders === folders.join("\n")) return
    if (watched !== undefined) yield* Scope.close(watched.scope, Exit.void)
    watched = { folders: folders.join("\n"), scope: yield* Scope.fork(scope) }
    yield* Scope.provide(watchFolders(folders), watched.scope).pipe(
      Effect.catch(({ cause, code }) => {
        const every = Duration.format(lookEvery)
        return Effect.logWarning(`cannot watch ${what}: changes are noticed within ${every}`, {
          reason: inotifyAdvice(code) ?? String(cause)
        })
      })
    )
    // what was told meanwhile, nobody has heard
    yield* Queue.offer(touched, undefined)
  })

  const once = Effect.andThen(watch, look)
  yield* Effect.forkScoped(
    Effect.forever(Effect.andThen(once, Effect.timeoutOption(Queue.take(touched), lookEvery)), { disableYield: true })
  )
})
