import * as Effect from "effect/Effect"
import { open } from "node:fs/promises"
import type { DependencyFailed } from "../../schema/Errors.ts"
import { DiskError } from "../ground/Disk.ts"
import * as StorageFailed from "./StorageFailed.ts"

/** For the rooms that still reach past the ground: what they import from here, until they do no more. */

export const errnoOf = StorageFailed.codeOf

export const attempt = <A>(doing: string, run: () => Promise<A>): Effect.Effect<A, DependencyFailed> =>
  StorageFailed.attempt(
    doing,
    Effect.tryPromise({ try: run, catch: (cause) => new DiskError({ code: errnoOf(cause), cause }) })
  )

export { temporaryPrefix } from "./NewFile.ts"

export const syncFolder = async (folder: string): Promise<void> => {
  await using handle = await open(folder, "r")
  await handle.sync()
}
