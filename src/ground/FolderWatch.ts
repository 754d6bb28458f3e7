import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Queue from "effect/Queue"
import { watch } from "node:fs"
import { type DiskError, diskError } from "./DiskError.ts"

/** `Disk.watch` */
export const watchFolder = Effect.fnUntraced(function* (folder: string) {
  const names = yield* Queue.unbounded<string, DiskError>()
  yield* Effect.acquireRelease(
    Effect.try({
      try: () =>
        watch(folder, (_event, name) => {
          if (name !== null) Queue.offerUnsafe(names, name)
        }).on("error", (cause) => Queue.failCauseUnsafe(names, Cause.fail(diskError(cause)))),
      catch: diskError
    }),
    (watcher) => Effect.sync(() => watcher.close())
  )
  return names
})
