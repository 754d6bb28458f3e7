import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Logger from "effect/Logger"
import * as TestClock from "effect/testing/TestClock"
import { DependencyFailed } from "../../schema/Errors.ts"
import { switchOnAgain } from "../../src/recording/RecorderSwitch.ts"

it.effect("a recorder that is not switched on again is told of once, and once when it is at last", () => {
  const lines: Array<string> = []
  const logger = Logger.make(({ logLevel, message }) => void lines.push(`${logLevel} ${String(message)}`))
  let refusals = 100
  const record = () =>
    Effect.suspend(() =>
      refusals-- > 0 ? Effect.fail(new DependencyFailed({ dependency: "mediamtx", detail: "it hangs" })) : Effect.void
    )
  return Effect.gen(function* () {
    const switching = yield* Effect.forkChild(switchOnAgain({ record }, "camera0", "fmp4"), { startImmediately: true })
    yield* TestClock.adjust("99 seconds")
    const said = "Warn MediaMTX could not be told to record again: it is told until it does,it hangs"
    assert.deepEqual(lines, [said])
    yield* TestClock.adjust("1 second")
    yield* Fiber.join(switching)
    assert.deepEqual(lines, [said, "Info MediaMTX was told to record again"])
    yield* switchOnAgain({ record }, "camera0", "fmp4")
    assert.lengthOf(lines, 2)
  }).pipe(Effect.provide(Logger.layer([logger])))
})
