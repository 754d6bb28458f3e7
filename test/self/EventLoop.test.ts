import { assert, it } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { performance } from "node:perf_hooks"
import { EventLoop } from "../../src/self/EventLoop.ts"
import { listening } from "../support/Log.ts"

it.live("an event loop that was held up for 0.4 s is told of, longer than half of it", () =>
  Effect.gen(function* () {
    const { delay } = Context.get(yield* Layer.build(EventLoop.layer), EventLoop)
    assert.deepStrictEqual(delay(), { max: 0, p99: 0 })
    const until = performance.now() + 400
    while (performance.now() < until);
    yield* Effect.sleep(0).pipe(Effect.repeat({ until: () => delay().max > 0 }))
    assert.isAtLeast(delay().max, 0.19)
    assert.isAtLeast(delay().p99, 0.19)
  })
)

it.live("one that stood still for 5 s says so in the log", () => {
  const { layer: loggers, lines } = listening()
  return Effect.gen(function* () {
    yield* Layer.build(EventLoop.layer)
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 5300)
    yield* Effect.sleep(0).pipe(Effect.repeat({ until: () => lines.length > 0 }))
    assert.deepInclude(lines[0], { level: "warning", seconds: 5 })
    assert.include(String(lines[0]?.["message"]), "stood still")
  }).pipe(Effect.provide(loggers))
})
