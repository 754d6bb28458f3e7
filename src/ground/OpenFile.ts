import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type { FileHandle } from "node:fs/promises"
import { onDisk, type DiskError } from "./DiskError.ts"
import { type FileState, stateOf } from "./FileState.ts"

export interface OpenFile {
  /** `length` bytes from `position` on; fewer where the file ends before */
  readonly read: (position: number, length: number) => Effect.Effect<Uint8Array, DiskError>
  /** writes all of it behind what is there */
  readonly append: (bytes: Uint8Array) => Effect.Effect<void, DiskError>
  /** returns when it is on the disk; after a failure it never will be: write another file (fsync(2), and field experience) */
  readonly sync: Effect.Effect<void, DiskError>
  readonly state: Effect.Effect<FileState, DiskError>
}

/** What Node opens, until the scope closes. */
export const opened = (run: () => Promise<FileHandle>): Effect.Effect<OpenFile, DiskError, Scope.Scope> =>
  Effect.acquireRelease(onDisk(run), (handle) => Effect.ignore(onDisk(() => handle.close()))).pipe(
    Effect.map((handle) => ({
      read: (position, length) =>
        onDisk(async () => {
          const bytes = new Uint8Array(length)
          const { bytesRead } = await handle.read(bytes, 0, length, position)
          return bytes.subarray(0, bytesRead)
        }),
      append: (bytes) => onDisk(() => handle.appendFile(bytes)),
      sync: onDisk(() => handle.sync()),
      state: Effect.map(
        onDisk(() => handle.stat()),
        stateOf
      )
    }))
  )
