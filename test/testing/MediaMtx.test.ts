import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as SubscriptionRef from "effect/SubscriptionRef"
import { MediaMtx } from "../../src/process/MediaMtx.ts"
import { MediaMtxApi } from "../../src/process/MediaMtxApi.ts"
import { PlayedMediaMtx } from "../../testing/MediaMtx.ts"
import { Programs } from "../../testing/Programs.ts"
import { mediaMtxApiBehaviour } from "../support/MediaMtxApiBehaviour.ts"
import { played } from "./Played.ts"

const generation = (wanted: number) =>
  Effect.flatMap(MediaMtx, ({ state }) =>
    SubscriptionRef.changes(state).pipe(
      Stream.filter((now) => now._tag === "Running" && now.generation === wanted),
      Stream.runHead
    )
  )

mediaMtxApiBehaviour("the played MediaMTX's API", Layer.effectDiscard(generation(1)).pipe(Layer.provideMerge(played)))

describe("the played MediaMTX", () => {
  const test = <E>(name: string, body: Effect.Effect<void, E, Layer.Success<typeof played> | Scope.Scope>) =>
    it.live(name, () => Effect.provide(Effect.andThen(generation(1), body), played))

  test(
    "that crashes is started again, without paths",
    Effect.gen(function* () {
      const api = yield* MediaMtxApi
      const { processes } = yield* Programs
      yield* api.addPath("camera0", {})
      yield* (yield* PlayedMediaMtx).crash
      yield* generation(2)
      assert.isEmpty(yield* api.listPathConfigs)
      assert.lengthOf(yield* SubscriptionRef.get(processes), 2)
    })
  )

  test(
    "refuses what a test has it refuse, and answers again after",
    Effect.gen(function* () {
      const api = yield* MediaMtxApi
      const { faults } = yield* PlayedMediaMtx
      yield* SubscriptionRef.set(faults, { hangs: false, answers: 500 })
      assert.deepInclude(yield* Effect.flip(api.listPaths), { _tag: "MediaMtxRefused", status: 500 })
      yield* SubscriptionRef.set(faults, { hangs: false })
      assert.isEmpty(yield* api.listPaths)
    })
  )

  test(
    "shows readers, and lets nobody publish whom the hook refuses",
    Effect.gen(function* () {
      const api = yield* MediaMtxApi
      const { publish, setReaders } = yield* PlayedMediaMtx
      const scope = yield* Scope.make()
      yield* api.addPath("camera0", {})
      yield* setReaders("camera0", 2)
      const path = yield* api.getPath("camera0")
      assert.deepInclude(Option.getOrThrow(path), { readers: 2, ready: false })
      const publisher = { pid: 1, url: "rtsp://127.0.0.1:8554/camera0?token=guessed" }
      const refused = yield* Effect.flip(publish(publisher).pipe(Scope.provide(scope)))
      assert.strictEqual(refused.status, 401)
      yield* Scope.close(scope, Exit.void)
    })
  )
})
