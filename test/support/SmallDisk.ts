import * as Effect from "effect/Effect"
import { execFileSync } from "node:child_process"
import { mkdirSync } from "node:fs"

const mount = (...words: ReadonlyArray<string>) => execFileSync("mount", words, { stdio: "ignore" })

/** Takes what is mounted there out, whoever uses it. */
export const takeOut = (folder: string) => Effect.sync(() => execFileSync("umount", ["-l", folder]))

/** Shows this folder of another disk there, as if that disk were mounted there. */
export const putIn = (from: string, folder: string) => Effect.sync(() => mount("--bind", from, folder))

/** A real file system of so many MB in memory, until the scope ends; false where mounting is not allowed. */
export const mountSmallDisk = (folder: string, megabytes: number) =>
  Effect.acquireRelease(
    Effect.sync(() => {
      mkdirSync(folder)
      try {
        mount("-t", "tmpfs", "-o", `size=${megabytes}m`, "tmpfs", folder)
        return true
      } catch {
        return false
      }
    }),
    (isMounted) => Effect.sync(() => (isMounted ? execFileSync("umount", ["-l", folder]) : undefined))
  )
