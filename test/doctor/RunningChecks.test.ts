import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { TestClock } from "effect/testing"
import { RunningChecks } from "../../src/doctor/RunningChecks.ts"
import { DataFolder } from "../../src/storage/DataFolder.ts"
import { TestGround } from "../../testing/TestGround.ts"
import { settingsWith } from "../storage/Workbench.ts"
import { testGround, until } from "../support/Ground.ts"

const running = RunningChecks.layer.pipe(
  Layer.provide(DataFolder.layerShared),
  Layer.provide(settingsWith({ data_dir: "/data" })),
  Layer.provideMerge(testGround)
)

it.effect("the machine is looked at when somebody asks, beside the answer, and again after a minute", () =>
  Effect.gen(function* () {
    const { disk } = yield* TestGround
    const { latest } = yield* RunningChecks
    const calls = yield* disk.calls
    const looks = () => calls.filter((call) => call.startsWith("create")).length
    assert.isUndefined(yield* latest)
    yield* until(
      "they have been looked at",
      Effect.map(latest, (looked) => looked !== undefined)
    )
    const first = yield* latest
    assert.deepStrictEqual(
      first?.results.map(({ name }) => name),
      ["disk", "disk_sync", "clock", "inotify", "memory"]
    )
    assert.strictEqual(looks(), 1)
    yield* TestClock.adjust("59 seconds")
    assert.strictEqual(yield* latest, first)
    yield* TestClock.adjust("1 second")
    assert.strictEqual(yield* latest, first)
    yield* until(
      "they have been looked at again",
      Effect.map(latest, (looked) => looked !== first)
    )
    assert.strictEqual(looks(), 2)
  }).pipe(Effect.provide(running))
)
