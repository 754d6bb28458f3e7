import * as Effect from "effect/Effect"
import { join } from "node:path"
import type { Disk } from "../ground/Disk.ts"
import { ifThere } from "../ground/DiskError.ts"
import { pictureHeadBytes } from "../media/Picture.ts"
import type { UsedIndex } from "./OpenedIndex.ts"

/*
 * Pictures are synced after they were told of. What a power cut makes of one that was not yet: nothing, an empty file, or
 * zeros of its length, where the file system knew of the blocks before they were written (ext4 with delayed allocation).
 */

/** The kernel writes out by itself what is older (vm.dirty_expire_centisecs: 30 s), and we long before. */
const unsyncedMillis = 60_000
/** Of a file system, mostly: what was not written is zeros from one of its bounds on. */
const block = 4096
const page = 100

/** What a picture begins with, and whether it is lost; undefined when it went meanwhile. */
export const readPicture = (disk: Disk["Service"], path: string) =>
  Effect.gen(function* () {
    const file = yield* disk.open(path)
    const head = yield* file.read(0, pictureHeadBytes)
    if (head.length < pictureHeadBytes) return { head, isLost: isBlank(head.subarray(-block)) }
    const { bytes } = yield* file.state
    return { head, isLost: isBlank(yield* file.read(bytes - block, block)) }
  }).pipe(Effect.scoped, (reading) => ifThere(reading, ["ENOENT", "ELOOP"]))

const isBlank = (bytes: Uint8Array): boolean => bytes.every((byte) => byte === 0)

/** Has an index that outlived a power cut forget the pictures which did not. */
export const forgetLostPictures = Effect.fnUntraced(function* (
  { ask, change }: UsedIndex,
  disk: Disk["Service"],
  folder: string
) {
  let oldest: number | undefined
  for (let offset = 0; ;) {
    const { files } = yield* ask((index) => index.page("snapshot", { limit: page, offset, devices: undefined }))
    oldest ??= (files[0]?.modified ?? 0) - unsyncedMillis
    for (const { filename, modified } of files) {
      if (modified < oldest) return
      const picture = yield* Effect.orElseSucceed(readPicture(disk, join(folder, filename)), () => undefined)
      if (picture?.isLost === true) yield* change((index) => index.remove("snapshot", filename))
      else offset++
    }
    if (files.length < page) return
  }
})
