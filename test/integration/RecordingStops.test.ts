import { assert } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { realPrograms, plugIn } from "../support/App.ts"
import { durationOnDisk, record, start, stop } from "../suites/recordings.ts"
import { readyStream } from "../suites/streams.ts"

realPrograms.test(
  "20 recordings in a row are each whole on disk when their stop is answered",
  Effect.gen(function* () {
    const camera = yield* plugIn()
    yield* readyStream(camera)
    const names = new Set<string>()
    for (let i = 0; i < 20; i++) {
      yield* record(yield* start({ camera }), 1)
      const { files } = yield* stop(camera)
      assert.lengthOf(files, 1)
      const filename = files[0]?.filename ?? ""
      assert.isAbove(yield* durationOnDisk(filename), 0, `recording ${i}`)
      names.add(filename)
    }
    assert.strictEqual(names.size, 20)
  })
)
