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

/** Of a recording that nobody has looked into, or that cannot be read. */
export const nothingKnown: Description = { duration: 0, codec: "", width: 0, height: 0 }

/**
 * Gives what looks into one recording, and into all that nobody has looked into, newest first; one that cannot be read stays
 * as it is. What is recorded is left to its recording, which tells of it when it is whole: it would be found as long as it was
 * at that moment.
 */
export const makeDescriber = (
  { ask, change }: UsedIndex,
  folder: string,
  look: (path: string) => Effect.Effect<Description, unknown>,
  isRecorded: (filename: string) => boolean
) => {
  const describe = Effect.fnUntraced(function* (filename: string) {
    const found = yield* look(join(folder, filename)).pipe(
      Effect.catch((cause) =>
        Effect.as(Effect.logWarning("cannot look into a recording", { filename }, cause), nothingKnown)
      )
    )
    // its recording may have told of it meanwhile
    yield* change((index) => (isRecorded(filename) ? undefined : index.describe("recording", filename, found)))
  })

  const describeAll = Effect.gen(function* () {
    while (true) {
      const file = yield* ask((it) => it.undescribed("recording", isRecorded))
      if (file === undefined) return
      yield* describe(file.filename)
    }
  })

  return { describe, describeAll }
}
