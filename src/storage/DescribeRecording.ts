import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import { join } from "node:path"
import type { Description } from "./IndexedFile.ts"
import type { UsedIndex } from "./OpenedIndex.ts"

/**
 * Looks into a recording that the index knows nothing about but its name. The default knows nothing either; the layer
 * that has ffprobe puts the real one in.
 */
export const DescribeRecording = Context.Reference<(path: string) => Effect.Effect<Description, unknown>>(
  "camera-service/storage/DescribeRecording",
  { defaultValue: () => () => Effect.succeed(nothingKnown) }
)

export const nothingKnown: Description = { duration: 0, codec: "", width: 0, height: 0 }

/** Looks into the files that nobody has looked into, newest first; one that cannot be read stays as it is. */
export const describeAll = Effect.fnUntraced(function* (
  index: UsedIndex,
  folder: string,
  look: (path: string) => Effect.Effect<Description, unknown>
) {
  while (true) {
    const file = yield* index.ask((it) => it.undescribed("recording"))
    if (file === undefined) return
    yield* describeOne(index, folder, look, file.filename)
  }
})

/** Looks into a recording. */
export const describeOne = Effect.fnUntraced(function* (
  { change }: UsedIndex,
  folder: string,
  look: (path: string) => Effect.Effect<Description, unknown>,
  filename: string
) {
  const found = yield* look(join(folder, filename)).pipe(
    Effect.catch((cause) =>
      Effect.as(Effect.logWarning("cannot look into a recording", { filename }, cause), nothingKnown)
    )
  )
  yield* change((index) => index.describe("recording", filename, found))
})
