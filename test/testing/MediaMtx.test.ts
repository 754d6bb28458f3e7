import { assert, describe } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as SubscriptionRef from "effect/SubscriptionRef"
import * as App from "../../src/App.ts"
import { Settings } from "../../src/config/Settings.ts"
import { MediaMtx } from "../../src/process/MediaMtx.ts"
import { MediaMtxApi } from "../../src/process/MediaMtxApi.ts"
import { asTimePasses } from "../../testing/PassingTime.ts"
import { TestGround } from "../../testing/TestGround.ts"
import { dataFolder, onFakes } from "../support/App.ts"
import { mediaMtxApiBehaviour } from "../support/MediaMtxApiBehaviour.ts"
import { testSettings } from "../support/TestSettings.ts"

const generation = (wanted: number) =>
  Effect.flatMap(MediaMtx, ({ state }) =>
    SubscriptionRef.changes(state).pipe(
      Stream.filter((now) => now._tag === "Running" && now.generation === wanted),
      Stream.runHead
    )
  )

const settings = Layer.sync(Settings, () => testSettings({ data_dir: dataFolder }))
const service = App.layer.pipe(Layer.provide(settings), Layer.provideMerge(TestGround.layer))

mediaMtxApiBehaviour("the played MediaMTX's API", Layer.effectDiscard(generation(1)).pipe(Layer.provideMerge(service)))

describe("the played MediaMTX", () => {
  onFakes(
    "that crashes is started again, without paths",
    Effect.gen(function* () {
      const api = yield* MediaMtxApi
      const { mediaMtx, programs } = yield* TestGround
      yield* api.addPath("camera0", {})
      yield* mediaMtx.crash
      yield* asTimePasses(generation(2))
      assert.isEmpty(yield* api.listPathConfigs)
      assert.lengthOf(yield* SubscriptionRef.get(programs.processes), 2)
    })
  )

  onFakes(
    "refuses what a test has it refuse, and answers again after",
    Effect.gen(function* () {
      const api = yield* MediaMtxApi
      const { disturb } = (yield* TestGround).mediaMtx
      yield* disturb({ answers: 500 })
      assert.deepInclude(yield* Effect.flip(api.listPaths), { _tag: "MediaMtxRefused", status: 500 })
      yield* disturb({ answers: undefined })
      assert.isEmpty(yield* api.listPaths)
    })
  )

  onFakes(
    "shows readers, and lets nobody publish whom the hook refuses",
    Effect.gen(function* () {
      const api = yield* MediaMtxApi
      const { publish, setReaders } = (yield* TestGround).mediaMtx
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
