import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { readdir, readFile, readlink, stat } from "node:fs/promises"
import { basename, join } from "node:path"
import { Roots } from "./Roots.ts"

/** A process that has a node open. */
export interface Holder {
  readonly pid: number
  /** its name, which the kernel cuts at 15 bytes */
  readonly program: string
}

/** 100 processes with 40 open files each take 0.35 s (two cores, x86-64). */
const deadline = Duration.seconds(1)
/** Of one process: the usual limit of open files. */
const maxFiles = 1024

/** Who has a node open, as far as the service's user may see: other users' processes are seen by root alone. */
export class Holders extends Context.Service<
  Holders,
  {
    /** the other processes that have the node at this path open, streaming or not; those found within 1 s */
    readonly of: (path: string) => Effect.Effect<ReadonlyArray<Holder>>
  }
>()("camera-service/device/v4l2/Holders") {
  static readonly layer = Layer.effect(
    Holders,
    Effect.gen(function* () {
      const { proc } = yield* Roots

      const of = Effect.fn("Holders.of")(function* (path: string) {
        const found: Array<Holder> = []
        const pids = yield* Effect.promise(() => listed(proc))
        yield* Effect.forEach(
          pids.filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid),
          (pid) =>
            Effect.map(
              Effect.promise(() => holderOf(join(proc, pid), path)),
              (program) => {
                if (program !== undefined) found.push({ pid: Number(pid), program })
              }
            ),
          { discard: true }
        ).pipe(Effect.timeoutOption(deadline))
        return found
      })

      return Holders.of({ of })
    })
  )
}

/** The folder's names; none where it may not be read, or the process has ended. */
const listed = (folder: string): Promise<ReadonlyArray<string>> => readdir(folder).catch(() => [])

/** The process's name when it has the node open; one file after the other, so that others' files have their turn. */
const holderOf = async (folder: string, path: string): Promise<string | undefined> => {
  for (const fd of (await listed(join(folder, "fd"))).slice(0, maxFiles)) {
    const file = join(folder, "fd", fd)
    // what has the name of the node in a container's /dev may be the same one
    const target = await readlink(file).catch(() => "")
    if (target === path || (basename(target) === basename(path) && (await isSameDevice(file, path)))) {
      const name = await readFile(join(folder, "comm"), "utf8").catch(() => "")
      return name.replace(/\p{Cc}/gu, "").trim() || "unknown"
    }
  }
  return undefined
}

const isSameDevice = async (one: string, other: string): Promise<boolean> => {
  try {
    const [a, b] = await Promise.all([stat(one), stat(other)])
    return a.isCharacterDevice() && b.isCharacterDevice() && a.rdev === b.rdev
  } catch {
    return false
  }
}
