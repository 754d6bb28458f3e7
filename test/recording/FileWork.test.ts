import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { makeFileWork } from "../../src/recording/FileWork.ts"
import type { Incident } from "../../src/recording/RecordingState.ts"
import { Segments } from "../../src/recording/Segments.ts"
import { Holds } from "../../src/storage/Holds.ts"

const filename = "camera0_2026-01-02_03-04-05_000000.mkv"

describe("the work on a recording's file", () => {
  it.effect("tells its end also when it is a defect, in the midst of a remux: the recording waits for it", () =>
    Effect.gen(function* () {
      const told: Array<Incident> = []
      const work = makeFileWork(yield* Holds, yield* Segments, {
        camera: "camera0",
        format: "mkv",
        happened: (incident) => void told.push(incident),
        scope: yield* Effect.scope
      })
      assert.strictEqual(yield* work.begin("camera0_2026-01-02_03-04-05_000000.mp4"), filename)
      yield* Effect.exit(work.finish(filename))
      assert.deepStrictEqual(told, [
        { _tag: "SegmentRemuxed", filename },
        { _tag: "SegmentFailed", filename, reason: "an internal error" }
      ])
    }).pipe(
      Effect.provide([
        Holds.layer,
        Layer.mock(Segments)({
          begin: (_camera, _written, name) => Effect.succeed(name),
          finish: (_camera, _filename, { remuxing }) => Effect.andThen(remuxing, Effect.die(new Error("a bug")))
        })
      ])
    )
  )
})
