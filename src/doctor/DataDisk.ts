import * as Effect from "effect/Effect"
import { join } from "node:path"
import { Disk } from "../ground/Disk.ts"
import { KernelFiles } from "../ground/KernelFiles.ts"
import { Machine } from "../ground/Machine.ts"
import { type Finding, failure } from "./Check.ts"

const table = "/etc/fstab"
export const makeRoom = "delete files, or set storage.delete_percent, storage.max_age_days or storage.max_size_gb"

/** `device folder type options …`, a space within one as `\040` (fstab(5)). */
const foldersIn = (mounts: string): ReadonlyArray<string> =>
  mounts.split("\n").flatMap((line) => {
    const [device = "", folder = ""] = line.trim().split(/\s+/)
    if (device.startsWith("#")) return []
    return folder.startsWith("/") ? [folder.replaceAll(/\\([0-7]{3})/g, (_, octal) => characterOf(octal))] : []
  })
const characterOf = (octal: string): string => String.fromCharCode(Number.parseInt(octal, 8))

/** Where the disk that the folder is on is to be mounted, and is not; what is under it is another disk. */
export const unmounted = Effect.fnUntraced(function* (folder: string) {
  const disk = yield* Disk
  const files = yield* KernelFiles
  const wanted = yield* Effect.orElseSucceed(disk.text(table), () => "")
  const present = files.text(join(files.proc, "self/mounts"))
  if (present === undefined) return undefined
  const mounted = new Set(foldersIn(present))
  const away = foldersIn(wanted).find((at) => !mounted.has(at) && `${folder}/`.startsWith(`${at}/`))
  if (away === undefined) return undefined
  return failure(
    `${folder} is on ${away}, which fstab has and is not mounted`,
    `mount '${away}'; if that fails: dmesg | tail, and lsblk`
  )
})

/** What is to be done about a data folder that cannot be used, by the name of the errno. */
export const unusable = Effect.fnUntraced(function* (folder: string, code: string) {
  const { name } = (yield* Machine).user()
  const rights = `run it as the service's user, or: chown -R ${name} ${folder}`
  const disk = `look into the kernel's log (dmesg | tail): the disk may be failing, or be gone`
  const mends: Readonly<Record<string, string>> = {
    ENOSPC: makeRoom,
    EDQUOT: makeRoom,
    EROFS: `${disk}; once it is well: mount -o remount,rw "$(findmnt -no TARGET -T ${folder})"`,
    EACCES: rights,
    EPERM: rights,
    ENOENT: `mount its disk, or restart the service, which makes the folder: systemctl restart camera-service`
  }
  return failure(`${folder} cannot be used (${code}) by ${name}`, mends[code] ?? disk) satisfies Finding
})
