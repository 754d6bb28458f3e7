import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Queue from "effect/Queue"
import type * as Scope from "effect/Scope"
import {
  type BigIntStats,
  closeSync,
  existsSync,
  openSync,
  read,
  readdirSync,
  readFileSync,
  readlinkSync,
  statSync
} from "node:fs"
import { promisify } from "node:util"
import type { DiskError } from "./DiskError.ts"
import { watchFolder } from "./FolderWatch.ts"

/** Where the kernel's file systems are. */
export interface Roots {
  /** where the nodes `videoN` are */
  readonly dev: string
  /** where sysfs is mounted */
  readonly sys: string
  /** where the processes are */
  readonly proc: string
}

/** What has a path. */
export interface KernelFile {
  /** another one for each that ever had the path */
  readonly inode: bigint
  /** the number of the device whose node it is; undefined: it is something else */
  readonly device: bigint | undefined
}

/**
 * What the kernel tells in /dev, /sys and /proc, by absolute paths. All of it comes from the kernel's memory within
 * microseconds, but for what is read with `read`. Undefined is what is not there, or may not be read: it comes and goes.
 */
export class KernelFiles extends Context.Service<
  KernelFiles,
  Roots & {
    readonly exists: (path: string) => boolean
    /** of what a link leads to */
    readonly file: (path: string) => KernelFile | undefined
    readonly text: (path: string) => string | undefined
    /** what the link says */
    readonly target: (path: string) => string | undefined
    /** what is in the folder; nothing where there is none */
    readonly names: (folder: string) => ReadonlyArray<string>
    /** the text of a file that a device may hold up: waits in a thread of libuv's pool, and cannot be taken back */
    readonly read: (path: string) => Promise<string | undefined>
    /** the names of what appears, changes or vanishes in the folder, as often as the kernel tells */
    readonly watch: (folder: string) => Effect.Effect<Queue.Dequeue<string, DiskError>, DiskError, Scope.Scope>
  }
>()("camera-service/ground/KernelFiles") {
  static readonly layerAt = (roots: Roots) =>
    Layer.sync(KernelFiles, () =>
      KernelFiles.of({
        ...roots,
        exists: existsSync,
        file: (path) => {
          const stats = maybe(() => statSync(path, asked))
          return stats === undefined ? undefined : { inode: stats.ino, device: deviceOf(stats) }
        },
        text: (path) => maybe(() => readFileSync(path, "utf8")),
        target: (path) => maybe(() => readlinkSync(path)),
        names: (folder) => maybe(() => readdirSync(folder)) ?? [],
        read: readInPool,
        watch: watchFolder
      })
    )

  /** This machine's. */
  static readonly layer = KernelFiles.layerAt({ dev: "/dev", sys: "/sys", proc: "/proc" })
}

/** Without the making of an error where there is nothing; numbers above 2^53 must not look like one. */
const asked = { bigint: true, throwIfNoEntry: false } as const

const deviceOf = (stats: BigIntStats): bigint | undefined => (stats.isCharacterDevice() ? stats.rdev : undefined)

const maybe = <A>(ask: () => A): A | undefined => {
  try {
    return ask()
  } catch {
    return undefined
  }
}

/** The kernel's attributes are a page at most. */
const page = 4096
const readFrom = promisify(read)

const readInPool = async (path: string): Promise<string | undefined> => {
  const fd = maybe(() => openSync(path, "r"))
  if (fd === undefined) return undefined
  try {
    const { buffer, bytesRead } = await readFrom(fd, Buffer.alloc(page), 0, page, 0)
    return buffer.toString("utf8", 0, bytesRead)
  } catch {
    return undefined
  } finally {
    closeSync(fd)
  }
}
