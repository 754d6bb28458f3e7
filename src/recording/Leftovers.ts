import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { Files } from "../storage/Files.ts"
import { FileIndex } from "../storage/FileIndex.ts"
import { Holds } from "../storage/Holds.ts"
import type { IndexedFile } from "../storage/IndexedFile.ts"
import { contentTypeOf, extensionOf } from "../storage/Names.ts"
import { Segments } from "./Segments.ts"

/** A start has better to do. */
const pause = Duration.seconds(10)
/** The last run left what it wrote last: among so many of the newest recordings, read so many at a time. */
const newest = 1000
const page = 100

/**
 * Remuxes what the last run had no time to remux, or died over: an `mkv` that is still the MP4 that MediaMTX wrote. One
 * after the other, in turn with those of recordings that stop. One of format `mp4` cannot be told from an `fmp4`.
 */
export const layer = Layer.effectDiscard(
  Effect.gen(function* () {
    const files = yield* Files
    const index = yield* FileIndex
    const holds = yield* Holds
    const segments = yield* Segments

    const isLeft = ({ filename }: IndexedFile) =>
      extensionOf(filename) !== "mkv" || holds.isWritten("recording", filename)
        ? Effect.succeed(false)
        : files.open("recording", filename).pipe(
            Effect.map(({ contentType }) => contentType !== contentTypeOf("recording", filename)),
            Effect.scoped,
            Effect.orElseSucceed(() => false)
          )

    const wanted = { format: "mkv", remuxing: Effect.void, givenUp: Effect.never, isHurried: () => false } as const
    const remux = ({ device, filename }: IndexedFile) =>
      holds.hold("recording", filename, "REMUXING").pipe(
        Effect.andThen(segments.finish(device, filename, wanted)),
        Effect.tap(() => Effect.logInfo("a recording that was left is looked after", { filename })),
        Effect.catchTags({
          DependencyFailed: ({ detail }) =>
            Effect.logWarning("a recording that was left is not looked after", { filename }, detail),
          // somebody deletes it
          NotFound: () => Effect.void
        }),
        Effect.scoped
      )

    const lookAfter = Effect.gen(function* () {
      for (let offset = 0; offset < newest; offset += page) {
        const found = yield* index.list("recording", { limit: page, offset, devices: undefined })
        const left = yield* Effect.filter(found.files, isLeft)
        for (const file of left) yield* remux(file)
        if (found.files.length < page) return
      }
    }).pipe(Effect.catch((error) => Effect.logWarning("recordings that were left could not be looked for", error)))

    yield* Effect.forkScoped(Effect.delay(lookAfter, pause))
  })
)
