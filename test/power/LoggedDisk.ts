import * as Effect from "effect/Effect"
import { execFileSync, spawn, spawnSync } from "node:child_process"
import { accessSync, closeSync, existsSync, mkdirSync, openSync, readFileSync, statSync, truncateSync } from "node:fs"
import { join } from "node:path"
import { eventually } from "../support/Eventually.ts"

/** A real ext4 on a disk that writes down all that it is told. */
export interface LoggedDisk {
  /** where it is mounted */
  readonly folder: string
  /** the disk before it was mounted first */
  readonly blank: Buffer
  /** so many bytes of the log are there: a moment in the disk's life */
  readonly now: () => number
  readonly log: () => Buffer
  /** returns when all that was written has come to the disk */
  readonly settle: Effect.Effect<void>
  /** the disk as it is, behind the file system's back */
  readonly image: () => Buffer
  /** the process whose stop (SIGSTOP) has the disk hang */
  readonly pid: number
}

const run = (program: string, ...args: ReadonlyArray<string>): string =>
  execFileSync(program, args, { encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] }).trim()

/** Why there can be none here; undefined: there can. */
export const whyNoLoggedDisk = (): string | undefined => {
  if (process.getuid?.() !== 0) return "only root can mount file systems"
  try {
    accessSync("/dev/fuse")
    accessSync("/dev/loop-control")
    run("qemu-storage-daemon", "--version")
    run("mkfs.ext4", "-V")
    return undefined
  } catch (cause) {
    return `disks cannot be made here: ${String(cause).split("\n")[0]}`
  }
}

/** Renames over a file that was not synced are not made good by the kernel: others do not do it either (ext4(5)). */
const strict = "noauto_da_alloc"

/** Mounts a file as an ext4 at a folder until the scope ends, which waits for the last who uses it: what is written then is no more. */
export const mountImage = (image: string, folder: string) =>
  Effect.acquireRelease(
    Effect.sync(() => {
      mkdirSync(folder, { recursive: true })
      run("mount", "-t", "ext4", "-o", `loop,${strict}`, image, folder)
    }),
    () =>
      eventually(
        `nobody uses ${folder}`,
        Effect.sync(() => spawnSync("umount", [folder]).status === 0)
      ).pipe(Effect.onError(() => Effect.sync(() => run("umount", "-l", folder))))
  )

/** In `root`, until the scope ends. */
export const mountLoggedDisk = Effect.fnUntraced(function* (root: string, megabytes: number) {
  const [image, log, shown, folder] = ["image", "log", "shown", "mounted"].map((name) => join(root, name)) as [
    string,
    string,
    string,
    string
  ]
  for (const file of [image, log, shown]) closeSync(openSync(file, "w"))
  truncateSync(image, megabytes << 20)
  run("mkfs.ext4", "-q", "-F", "-E", "nodiscard,lazy_itable_init=0,lazy_journal_init=0", image)
  const blank = readFileSync(image)

  const daemon = yield* Effect.acquireRelease(
    Effect.sync(() =>
      spawn(
        "qemu-storage-daemon",
        [
          ["--blockdev", `driver=file,node-name=image,filename=${image},locking=off`],
          ["--blockdev", `driver=file,node-name=log,filename=${log},locking=off`],
          ["--blockdev", "driver=blklogwrites,node-name=logged,file=image,log=log"],
          ["--export", `type=fuse,id=shown,node-name=logged,mountpoint=${shown},writable=on`]
        ].flat(),
        { stdio: ["ignore", "ignore", "inherit"] }
      )
    ),
    (child) =>
      Effect.sync(() => {
        child.kill("SIGCONT")
        child.kill("SIGTERM")
        // of one that was killed before
        spawnSync("umount", ["-l", shown])
      })
  )
  yield* eventually(
    "the disk is there",
    Effect.sync(() => statSync(shown).size === blank.length)
  )
  yield* mountImage(shown, folder)
  return {
    folder,
    blank,
    now: () => (existsSync(log) ? statSync(log).size : 0),
    log: () => readFileSync(log),
    settle: Effect.sync(() => run("sync", "--file-system", folder)),
    image: () => readFileSync(image),
    pid: daemon.pid ?? 0
  } satisfies LoggedDisk as LoggedDisk
})
