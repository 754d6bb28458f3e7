import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { Disk, DiskError } from "../../src/ground/Disk.ts"

interface Faults {
  /** no byte more goes onto it; files without any are made */
  isFull: boolean
  /** calls whose path has this in it never return */
  hangsAt: string | undefined
  /** syncs of such paths fail (EIO) */
  syncFailsAt: string | undefined
  /** no folder can be watched (ENOSPC: the machine's watches are used up) */
  watchFails: boolean
  /** how often a whole folder was read */
  reads: number
}

/** What goes wrong with the disk; a test sets it. */
export class DiskFaults extends Context.Service<DiskFaults, Faults>()("camera-service/test/DiskFaults") {}

export const soundDisk = (): Faults => ({
  isFull: false,
  hangsAt: undefined,
  syncFailsAt: undefined,
  watchFails: false,
  reads: 0
})

const failed = (code: string) => new DiskError({ code, cause: new Error(code) })

/** The real disk, with faults. */
export const faultyDisk = Layer.effect(
  Disk,
  Effect.gen(function* () {
    const disk = yield* Disk
    const faults = yield* DiskFaults
    const orHangs = <A, E, R>(path: string, call: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
      Effect.suspend(() =>
        // as a call into the kernel: it cannot be interrupted
        faults.hangsAt !== undefined && path.includes(faults.hangsAt) ? Effect.uninterruptible(Effect.never) : call
      )
    return Disk.of({
      ...disk,
      create: (path, mode) =>
        Effect.map(orHangs(path, disk.create(path, mode)), (file) => ({
          ...file,
          append: (bytes) => (faults.isFull ? Effect.fail(failed("ENOSPC")) : file.append(bytes))
        })),
      state: (path) => orHangs(path, disk.state(path)),
      sync: (path) =>
        Effect.suspend(() =>
          faults.syncFailsAt !== undefined && path.includes(faults.syncFailsAt)
            ? Effect.fail(failed("EIO"))
            : orHangs(path, disk.sync(path))
        ),
      names: (folder) =>
        Effect.suspend(() => {
          faults.reads++
          return disk.names(folder)
        }),
      watch: (folder) => Effect.suspend(() => (faults.watchFails ? Effect.fail(failed("ENOSPC")) : disk.watch(folder)))
    })
  })
).pipe(Layer.provide(Disk.layer))
