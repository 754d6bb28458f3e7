import * as Effect from "effect/Effect"
import { execFileSync } from "node:child_process"
import { mkdirSync } from "node:fs"
import { join } from "node:path"

/** What a disk does with what is written to it. */
export type Writes = "taken" | "refused" | "lost" | { readonly after: number }

const run = (program: string, ...args: ReadonlyArray<string>): string =>
  execFileSync(program, args, {
    encoding: "utf8",
    env: { ...process.env, PATH: `${process.env["PATH"]}:/usr/sbin:/sbin` }
  })

const megabytes = 96
const sectors = megabytes * 2048
/** Two disks in the machine's memory (Linux, drivers/block/brd.c): one for the file system, one for its journal alone. */
const [disk, journal] = ["/dev/ram0", "/dev/ram1"]
const device = "faulty"
const folder = "/run/faulty"
const node = `/dev/mapper/${device}`
/** No program waits for udev, which may wait for the disk. */
const alone = ["--noudevrules", "--noudevsync"]

/** Linux, Documentation/admin-guide/device-mapper: linear, dm-delay, dm-flakey. */
const table = (writes: Writes): string => {
  const whole = `0 ${sectors}`
  if (typeof writes === "object") return `${whole} delay ${disk} 0 0 ${disk} 0 ${writes.after}`
  if (writes === "taken") return `${whole} linear ${disk} 0`
  // up for 0 s, then down for 1 s, and so on
  return `${whole} flakey ${disk} 0 0 1 1 ${writes === "refused" ? "error_writes" : "drop_writes"}`
}

/** From now on. What was written before and is under way is not waited for, and the file system is not told. */
export const turn = (writes: Writes) =>
  Effect.sync(() => {
    run("dmsetup", "load", ...alone, device, "--table", table(writes))
    run("dmsetup", "resume", ...alone, "--noflush", "--nolockfs", device)
  })

const mount = Effect.sync(() => run("mount", "-t", "ext4", node, folder))
const unmount = Effect.sync(() => run("umount", folder))

/** As at the machine's next start: nothing is left of what the kernel had in its memory. Nobody may use the disk. */
export const mountAgain = Effect.gen(function* () {
  yield* unmount
  // status 1: it has mended something
  yield* Effect.sync(() => run("sh", "-c", `e2fsck -y ${node} || [ $? -eq 1 ]`))
  yield* mount
})

interface DiskOptions {
  /** its journal is on a disk that always works, so that it outlives data that are refused */
  readonly isJournalApart?: boolean
}

/** A folder on a real ext4 whose disk does what it is told by `turn`. */
export const faultyDisk = ({ isJournalApart = false }: DiskOptions = {}) =>
  Effect.gen(function* () {
    yield* Effect.acquireRelease(
      Effect.sync(() => {
        run("modprobe", "brd", "rd_nr=2", `rd_size=${megabytes * 1024}`)
        run("modprobe", "-a", "ext4", "dm-mod", "dm-delay", "dm-flakey")
        run("dmsetup", "create", ...alone, device, "--table", table("taken"))
        run("dmsetup", "mknodes")
      }),
      () => Effect.sync(() => run("dmsetup", "remove", ...alone, "--force", device))
    )
    yield* Effect.sync(() => {
      const blocks = ["-q", "-F", "-b", "4096"]
      if (isJournalApart) run("mke2fs", ...blocks, "-O", "journal_dev", journal)
      run("mkfs.ext4", ...blocks, ...(isJournalApart ? ["-J", `device=${journal}`] : []), node)
      mkdirSync(folder, { recursive: true })
    })
    yield* Effect.acquireRelease(mount, () =>
      Effect.andThen(
        turn("taken"),
        Effect.sync(() => run("umount", "-l", folder))
      )
    )
    // the file system's own blocks stay in memory while its data are refused: a kernel that cannot write them shuts it
    yield* Effect.sync(() => run("sysctl", "-q", "-w", "vm.dirty_expire_centisecs=60000"))
    return join(folder, "data")
  })
