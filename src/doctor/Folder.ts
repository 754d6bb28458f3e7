import * as Effect from "effect/Effect"
import { basename, dirname, join, resolve } from "node:path"
import { Settings } from "../config/Settings.ts"
import { Disk } from "../ground/Disk.ts"
import { KernelFiles } from "../ground/KernelFiles.ts"
import { pidName, StandardFolders } from "../storage/DataFolder.ts"

/** The data folder as it is: nothing is made for a look. */
export interface Folder {
  /** the first that is there of those that the service tries; else the first of them */
  readonly path: string
  readonly isThere: boolean
  /** the service that works on it now */
  readonly service: number | undefined
}

export const findFolder = Effect.gen(function* () {
  const { data_dir } = (yield* Settings).boot
  const disk = yield* Disk
  const files = yield* KernelFiles
  const candidates = data_dir === "" ? yield* StandardFolders : [resolve(data_dir)]
  const isThere = (path: string) => Effect.isSuccess(disk.state(path))
  let path = candidates[0] ?? ""
  for (const candidate of candidates) {
    if (!(yield* isThere(candidate))) continue
    path = candidate
    break
  }
  const pid = Number.parseInt(yield* Effect.orElseSucceed(disk.text(join(path, pidName)), () => ""), 10)
  const isOurs = isServing(files.text(join(files.proc, String(pid), "cmdline")) ?? "")
  return {
    path,
    isThere: yield* isThere(path),
    service: isOurs ? pid : undefined
  } satisfies Folder as Folder
})

/**
 * A service that was killed leaves its number, which is another program's by and by: an editor with our configuration, or
 * another command of ours.
 */
const isServing = (commandLine: string): boolean => {
  const words = commandLine.split("\0")
  const program = words.findIndex((word) => programs.has(basename(word)))
  return program !== -1 && words.indexOf("serve", program) !== -1
}
/** the bundle, and the sources */
const programs = new Set(["camera-service.cjs", "main.ts"])

/** The folder, or the nearest one above it that is there. */
export const nearestThere = Effect.fnUntraced(function* (path: string) {
  const disk = yield* Disk
  let at = path
  while (dirname(at) !== at && !(yield* Effect.isSuccess(disk.state(at)))) at = dirname(at)
  return at
})
