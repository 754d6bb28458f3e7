import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { lstat, mkdtemp, readdir, readlink, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { onDisk, codeOf, type DiskError } from "./DiskError.ts"

/** There on Linux (tmpfs): what is written there reaches no disk, and a disk that is full or read-only does not matter. */
const inMemory = "/dev/shm"

/** A process that is gone without its scopes having closed (SIGKILL) has left its folders. */
const isGone = (pid: number): boolean => {
  try {
    process.kill(pid, 0)
    return false
  } catch (cause) {
    return codeOf(cause) === "ESRCH"
  }
}

/** Anybody may write there, and who is root may remove anything: what we did not make ourselves is not ours to remove. */
const removeOwn = async (path: string): Promise<void> => {
  const found = await lstat(path)
  if (found.isDirectory() && found.uid === process.getuid?.()) await rm(path, { recursive: true, force: true })
}

/** Removes what processes that are gone have left there; another user's stays. */
const sweep = async (parent: string, prefix: string): Promise<void> => {
  for (const name of await readdir(parent)) {
    const [, pid = ""] = name.startsWith(prefix) ? (/^(\d+)-\w{6}$/.exec(name.slice(prefix.length)) ?? []) : []
    // one that stays keeps no other
    if (pid !== "" && isGone(Number(pid))) await removeOwn(join(parent, name)).catch(() => {})
  }
}

/** `Disk.temporaryFolder`. Its name tells whose it is: the name space that numbers processes, and the process. */
export const temporaryFolder = (prefix: string): Effect.Effect<string, DiskError, Scope.Scope> => {
  const makeIn = Effect.fnUntraced(function* (parent: string) {
    const told = yield* Effect.orElseSucceed(
      onDisk(() => readlink("/proc/self/ns/pid")),
      () => ""
    )
    const [space] = /\d+/.exec(told) ?? ["0"]
    yield* Effect.ignore(onDisk(() => sweep(parent, `${prefix}${space}-`)))
    return yield* onDisk(() => mkdtemp(join(parent, `${prefix}${space}-${process.pid}-`)))
  })
  return Effect.acquireRelease(makeIn(inMemory).pipe(Effect.catch(() => makeIn(tmpdir()))), (folder) =>
    Effect.ignore(onDisk(() => rm(folder, { recursive: true, force: true })))
  )
}
