import { mkdir, stat } from "node:fs/promises"
import { dirname } from "node:path"
import { codeOf } from "./DiskError.ts"

/**
 * `Disk.makeFolder`. Node's own `recursive` never ends where the kernel says ENOENT for a folder whose parent is there: in
 * /proc (Node 24).
 */
export const makeFolders = async (path: string, mode: number): Promise<void> => {
  const isThere = async () => (await stat(path)).isDirectory()
  const make = async () => {
    try {
      await mkdir(path, { mode })
    } catch (cause) {
      if (codeOf(cause) !== "EEXIST" || !(await isThere())) throw cause
    }
  }
  try {
    await make()
  } catch (cause) {
    if (codeOf(cause) !== "ENOENT" || dirname(path) === path) throw cause
    await makeFolders(dirname(path), mode)
    await make()
  }
}
