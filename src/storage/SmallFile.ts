import type * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { randomUUID } from "node:crypto"
import { link, open, readFile, rename, rm } from "node:fs/promises"
import { dirname, join } from "node:path"
import type { DependencyFailed } from "../../schema/Errors.ts"
import { attempt, errnoOf, syncFolder, temporaryPrefix } from "./Disk.ts"

/** Small files that must last (secrets, keys, camera names, policies): whole or not there, also after a power cut. */

const prepare = async (path: string, text: string, mode: number, giveName: (aside: string) => Promise<void>) => {
  const folder = dirname(path)
  const aside = join(folder, `${temporaryPrefix}${randomUUID()}`)
  try {
    const handle = await open(aside, "wx", mode)
    try {
      await handle.chmod(mode) // the umask may have taken bits away
      await handle.writeFile(text)
      await handle.sync()
    } finally {
      await handle.close()
    }
    await giveName(aside)
  } finally {
    await rm(aside, { force: true })
  }
  await syncFolder(folder)
}

/**
 * Replaces the file: written aside, synced, renamed, and the rename synced. Who reads it sees the old text or the new
 * one. All by asynchronous calls, because an fsync stops for 100 ms and more on an SD card that records. The folder must be there.
 */
export const write = (path: string, text: string, mode = 0o600): Effect.Effect<void, DependencyFailed> =>
  attempt("write a settings file", () => prepare(path, text, mode, (aside) => rename(aside, path)))

/** Writes the file only when there is none, and gives the text that it has then: of two who try, both get the first's. */
export const writeOnce = (path: string, text: string, mode = 0o600): Effect.Effect<string, DependencyFailed> =>
  attempt("write a settings file", async () => {
    try {
      await prepare(path, text, mode, (aside) => link(aside, path))
      return text
    } catch (cause) {
      if (errnoOf(cause) === "EEXIST") return await readFile(path, "utf8")
      throw cause
    }
  })

/** The file's text; none when there is no such file. */
export const read = (path: string): Effect.Effect<Option.Option<string>, DependencyFailed> =>
  attempt("read a settings file", async () => {
    try {
      return Option.some(await readFile(path, "utf8"))
    } catch (cause) {
      if (errnoOf(cause) === "ENOENT") return Option.none<string>()
      throw cause
    }
  })
