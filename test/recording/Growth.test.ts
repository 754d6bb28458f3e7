import { assert, describe } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { TestGround } from "../../testing/TestGround.ts"
import { listen, statuses } from "../suites/interruptions.ts"
import { start } from "../suites/recordings.ts"
import { onFakes, plugIn } from "../support/App.ts"
import { until } from "../support/Ground.ts"

describe("a disk that hangs", () => {
  onFakes(
    "is told by all recordings, is asked by all together, and goes on with them",
    Effect.gen(function* () {
      const { disk } = yield* TestGround
      const cameras = yield* Effect.forEach([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11], plugIn)
      for (const camera of cameras) yield* start({ camera })
      const told = yield* listen
      const hung = yield* disk.suffer({ name: "hung", at: "/recordings" })
      const untilAllAre = (status: string) =>
        until(
          status,
          Effect.sync(
            () =>
              told.length > 0 && cameras.every((id) => told.findLast(({ device }) => device === id)?.status === status)
          )
        )
      yield* untilAllAre("ERROR")
      for (const { reason } of told) assert.strictEqual(reason, "the disk does not answer")
      assert.lengthOf(statuses(told), cameras.length)
      // its room, whether they grow, whether it takes anything, and four syncs of open files
      assert.isAtMost(disk.pending(), 7)
      yield* hung.takeBack
      yield* untilAllAre("RECORDING")
    })
  )
})
