import { assert, describe } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { TestGround } from "../../testing/TestGround.ts"
import { fakes } from "../support/App.ts"
import { listening } from "../support/Log.ts"
import { afterCrash, crash, listed, nothingGoesOn } from "./CrashBench.ts"

describe("a recording that was cut off", () => {
  fakes.starts("does not go on where that is not wished any more, which the log says once", (run, folder) => {
    const { layer, lines } = listening()
    return Effect.gen(function* () {
      yield* afterCrash(run, folder, yield* crash(run, folder))
      yield* run(
        folder,
        Effect.gen(function* () {
          yield* nothingGoesOn
          const { outside } = (yield* TestGround).disk
          assert.notInclude(new TextDecoder().decode(outside.read(yield* listed)), "camera0")
        }),
        { recording: { resume_after: "nothing" } }
      )
      const said = lines.filter(({ message }) => message.startsWith("recordings that were cut off do not go on"))
      assert.lengthOf(said, 1)
      assert.deepEqual(said[0]?.["cameras"], ["camera0"])
      yield* run(folder, nothingGoesOn)
    }).pipe(Effect.provide(layer))
  })
})
