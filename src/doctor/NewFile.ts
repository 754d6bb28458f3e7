import * as Effect from "effect/Effect"
import { resolve } from "node:path"
import { Disk } from "../ground/Disk.ts"
import { BundleFailed } from "./BundleFailed.ts"

/** Puts it into a new file, for its owner alone. One that does not get whole is gone again: the next try finds the name free. */
export const writeNew = Effect.fnUntraced(
  function* (file: string, bytes: Uint8Array) {
    const disk = yield* Disk
    const path = resolve(file)
    yield* disk.create(path, 0o600).pipe(
      Effect.flatMap(({ append }) => Effect.onError(append(bytes), () => Effect.ignore(disk.remove(path)))),
      Effect.scoped,
      Effect.uninterruptible
    )
  },
  (writing, file) => Effect.mapError(writing, ({ code }) => new BundleFailed({ file, code }))
)
