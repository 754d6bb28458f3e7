import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schedule from "effect/Schedule"
import { Disk, type DiskSpace } from "../ground/Disk.ts"
import { monotonicMillis, monotonicNow } from "../ground/Time.ts"
import { DataFolder } from "./DataFolder.ts"
import { storageFailed } from "./StorageFailed.ts"

/** A look takes 0.1 ms. */
const lookEvery = "5 seconds"
/** A disk that has not answered for so long is dead, or hangs. */
const patience = 10_000
/** Less is no room: the index, a snapshot and a second of video of each camera have to fit. */
const noRoom = 32 * 2 ** 20

/** How much room there is where the data is: looked at every 5 s, told from memory. */
export class Space extends Context.Service<
  Space,
  {
    /** where recordings are; undefined until the first look */
    readonly now: () => DiskSpace | undefined
    /** what is wrong with the disk, for people: it is full, or does not answer */
    readonly trouble: () => string | undefined
  }
>()("camera-service/storage/Space") {
  static readonly layer = Layer.effect(
    Space,
    Effect.gen(function* () {
      const disk = yield* Disk
      const { recordings, root, snapshots } = yield* DataFolder
      const now = yield* monotonicNow
      let space: DiskSpace | undefined
      let failure: string | undefined
      let askedAt: number | undefined

      const look = Effect.gen(function* () {
        askedAt = yield* monotonicMillis
        const all = yield* Effect.forEach([recordings, snapshots, root], (folder) => disk.space(folder))
        space = all[0]
        failure = all.some(({ available }) => available < noRoom) ? "no space is left on the disk" : undefined
      }).pipe(
        Effect.catch((error) =>
          Effect.sync(() => {
            failure = storageFailed("look at the disk", error.cause).detail
          })
        ),
        Effect.ensuring(Effect.sync(() => (askedAt = undefined)))
      )
      // a call to a disk that hangs cannot be interrupted, and is not to hold up the end
      const looks = Effect.repeat(look, Schedule.spaced(lookEvery))
      yield* Effect.acquireRelease(Effect.forkDetach(looks), (fiber) => Effect.sync(() => fiber.interruptUnsafe()))

      return Space.of({
        now: () => space,
        trouble: () => (askedAt !== undefined && now() - askedAt > patience ? "the disk does not answer" : failure)
      })
    })
  )
}
