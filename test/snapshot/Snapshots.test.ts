import { assert, describe } from "@effect/vitest"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import { Recordings } from "../../src/recording/Recordings.ts"
import { parseFileName } from "../../src/storage/Names.ts"
import { asTimePasses, record, start } from "../suites/recordings.ts"
import { liveCamera, snapshotBehaviour, take } from "../suites/snapshots.ts"
import { disturbWork, fakes, onFakes, plugIn } from "../support/App.ts"
import { children, until } from "../support/Ground.ts"
import { hour, onSettableClock } from "../support/WallClock.ts"

snapshotBehaviour("snapshots over fakes", fakes)

describe("a picture that is encoded anew", () => {
  onFakes(
    "waits for no recording that is being made into another container",
    Effect.gen(function* () {
      const recordings = yield* Recordings
      yield* disturbWork({ remux: "hangs" })
      const cameras = yield* Effect.forEach([0, 1, 2, 3], plugIn)
      const stops = yield* Effect.forEach(
        cameras,
        Effect.fnUntraced(function* (camera) {
          yield* record(yield* start({ camera, format: "mkv" }), 1)
          return yield* Effect.forkChild(recordings.stop(camera))
        })
      )
      yield* until(
        "a remux runs",
        Effect.map(children("remux"), (all) => all.length > 0)
      )
      assert.isAbove((yield* take({ camera: "camera0", quality: 50 })).bytes, 0)
      yield* disturbWork({ remux: undefined })
      yield* Effect.forEach(yield* children("remux"), ({ kill }) => kill)
      yield* asTimePasses(Fiber.awaitAll(stops))
    })
  )

  onFakes(
    "is given up 10 s after the call",
    Effect.gen(function* () {
      const { camera } = yield* liveCamera
      yield* disturbWork({ convert: "hangs" })
      const began = yield* Clock.currentTimeMillis
      const failure = yield* Effect.flip(take({ camera, quality: 50 }))
      assert.deepInclude(failure, { _tag: "DependencyFailed", dependency: "ffmpeg" })
      assert.closeTo((yield* Clock.currentTimeMillis) - began, 10_000, 100)
    })
  )
})

describe("the name of a picture", () => {
  const stampOf = ({ filename }: { readonly filename: string }): number =>
    parseFileName(filename)?.startedAt ?? Number.NaN

  onFakes(
    "follows a clock that is set back",
    Effect.gen(function* () {
      const { camera } = yield* liveCamera
      yield* onSettableClock(
        Effect.fnUntraced(function* (set) {
          set(hour)
          const first = yield* take({ camera })
          set(-hour)
          const second = yield* take({ camera })
          assert.closeTo(stampOf(first) - stampOf(second), hour, 1000)
        })
      )
    })
  )

  onFakes(
    "is another one where a clock that was set back gives one that is taken",
    Effect.gen(function* () {
      const { camera } = yield* liveCamera
      yield* onSettableClock(
        Effect.fnUntraced(function* (set) {
          const calledAt = yield* Clock.currentTimeMillis
          const first = yield* take({ camera })
          set(hour)
          yield* take({ camera })
          set(calledAt - (yield* Clock.currentTimeMillis))
          const again = yield* take({ camera })
          assert.closeTo(stampOf(again) - stampOf(first), 0.001, 0.0005)
        })
      )
    })
  )
})
