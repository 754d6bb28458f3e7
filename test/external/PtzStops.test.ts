import { assert, describe } from "@effect/vitest"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import { TestGround } from "../../testing/TestGround.ts"
import { connectAs } from "../rpc/Harness.ts"
import { onFakes } from "../support/App.ts"
import { until } from "../support/Ground.ts"
import { fault, reply } from "../support/OnvifCamera.ts"
import { add, address, clientAs, device, moves, pass, startCamera } from "./PtzCamera.ts"

describe("ptz_stop", () => {
  onFakes(
    "is said again where the camera did not take it",
    Effect.gen(function* () {
      let refusals = 0
      const { calls } = yield* startCamera({
        instead: {
          Stop: (answer) => (++refusals <= 3 ? reply(fault("ActionFailed", "busy"), 500) : answer)
        }
      })
      yield* add()
      const call = yield* clientAs("operator")
      yield* moves(call)
      assert.deepInclude((yield* call("ptz_stop")).result, { status: "STOPPED" })
      assert.deepEqual(calls(), ["ContinuousMove", "Stop", "Stop", "Stop", "Stop"])
    })
  )

  onFakes(
    "that the camera never takes is told, and the camera is free again",
    Effect.gen(function* () {
      yield* startCamera({ instead: { Stop: () => reply(fault("ActionFailed", "busy"), 500) } })
      yield* add()
      const call = yield* clientAs("operator")
      yield* moves(call)
      const { error } = yield* call("ptz_stop")
      assert.strictEqual(error?.code, -32050)
      assert.include(error?.data, { dependency: "camera" })
      assert.deepInclude((yield* moves(yield* clientAs("operator"))).result, { status: "MOVING" })
    })
  )

  onFakes(
    "of a camera that has fallen silent fails in seconds, and the camera is free again when it is back",
    Effect.gen(function* () {
      const { neighbours } = yield* TestGround
      const { answer } = yield* startCamera()
      yield* add()
      const call = yield* clientAs("operator")
      yield* moves(call, { timeout_ms: 10_000 })
      yield* neighbours.serve(address, 80, () => Effect.never)
      const before = yield* Clock.currentTimeMillis
      const { error } = yield* call("ptz_stop")
      assert.strictEqual(error?.code, -32050)
      assert.isAtMost((yield* Clock.currentTimeMillis) - before, 5000)
      yield* neighbours.serve(address, 80, answer)
      assert.deepInclude((yield* moves(yield* clientAs("operator"))).result, { status: "MOVING" })
    })
  )

  onFakes(
    "stops a camera that nobody here moves, and overtakes moves that wait",
    Effect.gen(function* () {
      const { calls } = yield* startCamera({}, (call) => (call === "ContinuousMove" ? Effect.sleep(200) : Effect.void))
      yield* add()
      const call = yield* clientAs("operator")
      assert.deepInclude((yield* call("ptz_stop")).result, { status: "STOPPED" })
      const client = yield* connectAs("operator")
      for (let id = 1; id <= 4; id++) {
        client.send({ jsonrpc: "2.0", id, method: "ptz_move", params: { device, pan: id / 4 } })
      }
      yield* until(
        "the first is told",
        Effect.sync(() => calls().includes("ContinuousMove"))
      )
      yield* call("ptz_stop")
      yield* pass(1000)
      // the one that was under way, and none of those that waited for it
      assert.deepEqual(calls(), ["Stop", "ContinuousMove", "Stop", "Stop"])
    })
  )
})

describe("presets", () => {
  onFakes(
    "are told, and gone to; the movement that was under way is over",
    Effect.gen(function* () {
      const { calls, orders } = yield* startCamera()
      yield* add()
      const call = yield* clientAs("operator")
      assert.deepEqual((yield* call("ptz_presets")).result, {
        device,
        presets: [
          { id: "p1", name: "Gate" },
          { id: "tok&2", name: "Door" }
        ]
      })
      yield* moves(call, { timeout_ms: 10_000 })
      assert.deepEqual((yield* call("ptz_goto", { preset: "p1" })).result, { device, status: "MOVING", preset: "p1" })
      assert.deepEqual(calls(), ["ContinuousMove", "Stop", "GotoPreset"])
      assert.include(orders.at(-1)?.body, "<PresetToken>p1</PresetToken>")
      yield* pass(11_000)
      // no stop comes in between
      assert.deepEqual(calls(), ["ContinuousMove", "Stop", "GotoPreset"])
    })
  )

  onFakes(
    "that are unknown are not found, and are no XML",
    Effect.gen(function* () {
      const { seen } = yield* startCamera()
      yield* add()
      const call = yield* clientAs("operator")
      const { error } = yield* call("ptz_goto", { preset: "</PresetToken><a/>" })
      assert.strictEqual(error?.code, -32010)
      assert.deepInclude(error?.data, { resource: "preset", id: "</PresetToken><a/>" })
      assert.notInclude(JSON.stringify(seen.requests), "<a/>")
      for (const preset of ["", "a\nb", "x".repeat(65)]) {
        assert.include((yield* call("ptz_goto", { preset })).error?.data, { param: "preset" })
      }
    })
  )
})
