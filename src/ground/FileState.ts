import type { Stats } from "node:fs"
import { lstat } from "node:fs/promises"
import { join } from "node:path"
import { codeOf } from "./DiskError.ts"

export interface FileState {
  readonly kind: "file" | "folder" | "other"
  readonly bytes: number
  /** epoch milliseconds, with a fraction */
  readonly modified: number
}

export const stateOf = (stats: Stats): FileState => ({
  kind: stats.isFile() ? "file" : stats.isDirectory() ? "folder" : "other",
  bytes: stats.size,
  modified: stats.mtimeMs
})

/**
 * A few at a time: one by one costs twice the CPU each for the way to a thread and back, and 20 at a time as much as 8
 * (measured, Node 24, 32 threads). A disk that begins to hang meanwhile holds no more of libuv's 32 threads
 * (`scripts/camera-service` asks for them) than the cameras leave, which may hold 24 (`v4l2/Kernel`).
 */
const together = 8

/** `Disk.states` */
export const statesOf = async (folder: string, [first, ...others]: ReadonlyArray<string>) => {
  if (first === undefined) return []
  // alone: a disk that hangs holds one thread
  const states = [await stateOrNone(join(folder, first))]
  for (let i = 0; i < others.length; i += together) {
    const some = others.slice(i, i + together)
    states.push(...(await Promise.all(some.map((name) => stateOrNone(join(folder, name))))))
  }
  return states
}

const stateOrNone = async (path: string) => {
  try {
    return stateOf(await lstat(path))
  } catch (cause) {
    if (codeOf(cause) === "ENOENT") return undefined
    throw cause
  }
}
