import { assert, describe } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Scope from "effect/Scope"
import { Status } from "../../src/stream/Status.ts"
import { asTimePasses } from "../../testing/PassingTime.ts"
import { connectAs } from "../rpc/Harness.ts"
import { readyStream } from "../suites/streams.ts"
import { onFakes, plugIn } from "../support/App.ts"
import { running, until } from "../support/Ground.ts"

const publishers = Effect.map(running("publish"), (all) => all.length)

interface Reply {
  readonly result?: Readonly<Record<string, unknown>>
  readonly error?: { readonly code: number; readonly data: Readonly<Record<string, unknown>> }
}

describe("as many FFmpeg processes as may run", () => {
  onFakes(
    "keep a snapshot waiting until its time is over, which is told as what it is",
    Effect.gen(function* () {
      const [first, second, third] = [yield* plugIn(0), yield* plugIn(1), yield* plugIn(2)]
      yield* readyStream(first)
      const client = yield* connectAs("operator")
      for (const device of [second, third]) {
        const call = client.call({ jsonrpc: "2.0", id: 1, method: "take_snapshot", params: { device } })
        const { error } = (yield* asTimePasses(call)) as Reply
        assert.strictEqual(error?.code, -32040, JSON.stringify(error))
        assert.deepInclude(error?.data, { retry_after_ms: 10_000, suggestion: "stop a stream, or wait for one to end" })
        // the one before waits on: somebody may want another picture
        const place = device === second ? 1 : 2
        assert.include(error?.data["reason"], `limits.ffmpeg_processes allows: it is number ${place} in the queue`)
      }
    }),
    { limits: { ffmpeg_processes: 1 } }
  )

  onFakes(
    "keep a further stream waiting, which knows its place, says so, and starts when another ends",
    Effect.gen(function* () {
      const [first, second] = [yield* plugIn(0), yield* plugIn(1)]
      const life = yield* Scope.make()
      yield* Scope.provide(readyStream(first), life)
      const client = yield* connectAs("operator")
      const call = (method: string) =>
        Effect.map(
          asTimePasses(client.call({ jsonrpc: "2.0", id: 1, method, params: { device: second } })),
          (reply) => reply as Reply
        )
      const reason = "as many FFmpeg processes run as limits.ffmpeg_processes allows: it is number 1 in the queue"

      const refused = yield* Effect.forkChild(call("start_streaming"), { startImmediately: true })
      const { of } = yield* Status
      const queued = yield* until(
        "it waits in the queue",
        Effect.map(of(second), (status) => (status.reason === undefined ? undefined : status))
      )
      assert.include(queued, { state: "STARTING", reason })
      const { error } = yield* Fiber.join(refused)
      assert.strictEqual(error?.code, -32040)
      assert.deepInclude(error?.data, { retry_after_ms: 10_000, reason })
      assert.strictEqual(yield* publishers, 1)

      const waiting = yield* Effect.forkChild(call("start_streaming"), { startImmediately: true })
      yield* Scope.close(life, Exit.void)
      assert.deepInclude((yield* Fiber.join(waiting)).result, { status: "STARTED" })
      assert.strictEqual(yield* publishers, 1)
    }),
    { limits: { ffmpeg_processes: 1 }, streams: { viewer_linger_seconds: 1 } }
  )
})
