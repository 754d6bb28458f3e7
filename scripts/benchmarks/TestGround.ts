import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as TestClock from "effect/testing/TestClock"
import * as App from "../../src/App.ts"
import { Settings } from "../../src/config/Settings.ts"
import { frozenCamera } from "../../test/support/Story.ts"
import { testSettings } from "../../test/support/TestSettings.ts"
import { TestGround } from "../../testing/TestGround.ts"
import type { Benchmark } from "./Benchmark.ts"
import { median, summary } from "./Statistics.ts"

const ground = Layer.mergeAll(
  TestGround.layer,
  Layer.sync(Settings, () => testSettings({ data_dir: "/data" }))
).pipe(Layer.provideMerge(TestClock.layer()), Layer.provideMerge(Logger.layer([])))

const service = App.layer.pipe(Layer.provideMerge(ground))

/** Real milliseconds. */
const timed = async <A, E>(effect: Effect.Effect<A, E>): Promise<number> => {
  const began = performance.now()
  await Effect.runPromise(effect)
  return performance.now() - began
}

/** The whole service in memory on a clock that is moved: what a test costs that starts one of its own. */
export const testGround: Benchmark = async ({ times }) => {
  const boots: Array<number> = []
  const stories: Array<number> = []
  for (let i = 0; i < times(20); i++) {
    boots.push(await timed(Effect.scoped(Layer.build(service))))
    stories.push(await timed(Effect.provide(frozenCamera, service)))
  }
  return [
    { name: "testground.boot", value: median(boots), detail: `from start to end; ${summary(boots)}` },
    { name: "testground.story", value: median(stories), detail: summary(stories) }
  ]
}
