import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as TestClock from "effect/testing/TestClock"
import { DependencyFailed } from "../../schema/Errors.ts"
import { makeFacts } from "../../src/facts/Facts.ts"
import type { RecorderFailed } from "../../src/process/RecorderFailure.ts"
import { makeRecorderSwitch, switchOnAgain } from "../../src/recording/RecorderSwitch.ts"
import type { Incident } from "../../src/recording/RecordingState.ts"
import { listening } from "../support/Log.ts"

it.effect("a recorder that is not switched on again is told of once, and once when it is at last", () => {
  const { layer, lines } = listening()
  let refusals = 100
  const record = () =>
    Effect.suspend(() =>
      refusals-- > 0 ? Effect.fail(new DependencyFailed({ dependency: "mediamtx", detail: "it hangs" })) : Effect.void
    )
  return Effect.gen(function* () {
    const switching = yield* Effect.forkChild(switchOnAgain({ record }, "camera0", "fmp4"), { startImmediately: true })
    yield* TestClock.adjust("99 seconds")
    const said = {
      level: "warning",
      message: "MediaMTX could not be told to record again: it is told until it does",
      detail: "it hangs"
    }
    assert.deepEqual(lines, [said])
    yield* TestClock.adjust("1 second")
    yield* Fiber.join(switching)
    assert.deepEqual(lines, [said, { level: "info", message: "MediaMTX was told to record again" }])
    yield* switchOnAgain({ record }, "camera0", "fmp4")
    assert.lengthOf(lines, 2)
  }).pipe(Effect.provide(layer))
})

it.effect("a recorder that is to pause, and could not be told, is told of with that", () =>
  Effect.gen(function* () {
    const told: Array<Incident> = []
    let isHung = true
    const { pause } = makeRecorderSwitch(
      {
        record: () => Effect.suspend(() => (isHung ? Effect.never : Effect.void)),
        facts: yield* makeFacts<RecorderFailed>()
      },
      {
        camera: "camera0",
        format: "fmp4",
        happened: (incident) => void told.push(incident),
        lookForLast: Effect.sync(() => void told.push({ _tag: "FileBegan", filename: "b" }))
      }
    )
    const pausing = yield* Effect.forkChild(pause(3), { startImmediately: true })
    yield* TestClock.adjust("3 seconds")
    yield* Fiber.join(pausing)
    isHung = false
    yield* pause(3)
    const flaw = "MediaMTX may write on for a while: it did not answer"
    assert.deepEqual(told, [
      { _tag: "FileBegan", filename: "b" },
      { _tag: "RecorderPaused", flaw },
      { _tag: "FileBegan", filename: "b" },
      { _tag: "RecorderPaused", flaw: undefined }
    ])
  })
)
