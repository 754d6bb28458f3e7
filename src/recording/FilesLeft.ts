import * as Effect from "effect/Effect"
import type { FileIndex } from "../storage/FileIndex.ts"
import type { RecordedFile, Stopped } from "./Recording.ts"
import type { Earlier } from "./RecordingState.ts"

/** What is left of a recording, and what that and all before it come to: its finished files may be deleted while it goes on. */
export const filesLeft = Effect.fnUntraced(function* (
  index: FileIndex["Service"],
  files: ReadonlyArray<RecordedFile>,
  earlier: Earlier
) {
  const left = yield* Effect.filter(files, ({ filename }) =>
    Effect.map(
      Effect.orElseSucceed(index.get("recording", filename), () => true as const),
      (found) => found !== undefined
    )
  )
  return {
    files: left,
    seconds: left.reduce((total, file) => total + file.duration, earlier.seconds),
    bytes: left.reduce((total, file) => total + file.bytes, earlier.bytes)
  } satisfies Partial<Stopped>
})
