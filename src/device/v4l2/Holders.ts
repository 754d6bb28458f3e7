import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { basename, join } from "node:path"
import { KernelFiles } from "../../ground/KernelFiles.ts"
import { tidy } from "./NodeLocation.ts"
import { makeTurns } from "./Turns.ts"

/** A process that has a node open. */
export interface Holder {
  readonly pid: number
  /** its name, which the kernel cuts at 15 bytes */
  readonly program: string
}

/** Usually a few milliseconds: 100 processes with 40 open files each are 4,000 links. */
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
      const files = yield* KernelFiles

      /** The process's name when it has the node open. */
      const holderOf = Effect.fnUntraced(function* (folder: string, path: string, turn: Effect.Effect<void>) {
        const fds = join(folder, "fd")
        for (const fd of files.names(fds).slice(0, maxFiles)) {
          const file = join(fds, fd)
          // what has the name of the node in a container's /dev may be the same one
          const target = files.target(file) ?? ""
          if (target === path || (basename(target) === basename(path) && isSameDevice(file, path))) {
            return tidy(files.text(join(folder, "comm")) ?? "") || "unknown"
          }
          yield* turn
        }
        return undefined
      })

      const isSameDevice = (one: string, other: string): boolean => {
        const device = files.file(one)?.device
        return device !== undefined && device === files.file(other)?.device
      }

      const of = Effect.fn("Holders.of")(function* (path: string) {
        const found: Array<Holder> = []
        const turn = yield* makeTurns
        const own = files.target(join(files.proc, "self"))
        const pids = files.names(files.proc).filter((name) => /^\d+$/.test(name) && name !== own)
        yield* Effect.forEach(
          pids,
          (pid) =>
            Effect.map(holderOf(join(files.proc, pid), path, turn), (program) => {
              if (program !== undefined) found.push({ pid: Number(pid), program })
            }),
          { discard: true }
        ).pipe(Effect.timeoutOption(deadline))
        return found
      })

      return Holders.of({ of })
    })
  )
}
