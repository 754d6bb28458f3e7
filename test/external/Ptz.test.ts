import { assert, describe } from "@effect/vitest"
import * as Clock from "effect/Clock"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Scope from "effect/Scope"
import { asTimePasses } from "../../testing/PassingTime.ts"
import { TestGround } from "../../testing/TestGround.ts"
import { dataFolder, fakes, onFakes } from "../support/App.ts"
import { until } from "../support/Ground.ts"
import { attachCamera } from "../support/NetworkCamera.ts"
import { fault, reply } from "../support/OnvifCamera.ts"
import { add, address, clientAs, device, login, moves, pass, startCamera } from "./PtzCamera.ts"

describe("ptz_move", () => {
  onFakes(
    "moves a camera that can be moved, which its capabilities say, until ptz_stop",
    Effect.gen(function* () {
      const { calls, orders, seen } = yield* startCamera({ user: login })
      yield* add(`${login.name}:${login.password}@`)
      const call = yield* clientAs("operator")
      assert.deepInclude((yield* call("get_camera_capabilities")).result, { ptz: true })
      assert.deepEqual((yield* call("ptz_move", { pan: -1, tilt: 0.25, timeout_ms: 5000 })).result, {
        ...{ device, status: "MOVING", pan: -1, tilt: 0.25, zoom: 0, timeout_ms: 5000 }
      })
      assert.deepEqual(calls(), ["ContinuousMove"])
      const [{ body } = { body: "" }] = orders
      assert.match(body, /<ProfileToken>p0<\/ProfileToken><Velocity><PanTilt x="-1" y="0.25" [^>]*\/><Zoom x="0" /)
      // should we be no more, it stops by itself
      assert.include(body, "<Timeout>PT6S</Timeout>")
      assert.deepEqual((yield* call("ptz_stop")).result, { device, status: "STOPPED" })
      assert.deepEqual(calls(), ["ContinuousMove", "Stop"])
      yield* pass(6000)
      assert.deepEqual(calls(), ["ContinuousMove", "Stop"])
      assert.notInclude(JSON.stringify(seen.requests), login.password)
      assert.strictEqual(seen.refusals, 0)
      // at its own address, whatever it takes for that
      assert.isTrue(seen.requests.every((request) => request.address === address))
    })
  )

  onFakes(
    "looks anew every two minutes where the camera is, however often it is moved: it may have gone where none may be",
    Effect.gen(function* () {
      const { seen } = yield* startCamera()
      yield* add()
      const call = yield* clientAs("operator")
      const count = (name: string) => seen.calls.filter((one) => one === name).length
      // who looks after its stream asks for its profiles, too, and for the address then
      const learnt = () => count("GetProfiles") - count("GetStreamUri")
      yield* moves(call, { timeout_ms: 1000 })
      const before = learnt()
      for (let i = 0; i < 3; i++) {
        yield* pass(45_000)
        yield* moves(call, { timeout_ms: 1000 })
      }
      assert.strictEqual(learnt(), before + 1)
    })
  )

  onFakes(
    "has it stop when its time is over, and not before it where it is said again in time",
    Effect.gen(function* () {
      const { calls, orders } = yield* startCamera()
      yield* add()
      const call = yield* clientAs("operator")
      for (let times = 0; times < 5; times++) {
        yield* moves(call, { timeout_ms: 1000 })
        yield* pass(600)
      }
      assert.deepEqual(
        calls(),
        Array.from({ length: 5 }, () => "ContinuousMove")
      )
      yield* moves(call, { timeout_ms: 10_000 })
      yield* moves(call, { timeout_ms: 200 })
      const last = orders.at(-1)?.at ?? 0
      yield* pass(600)
      assert.strictEqual(calls().at(-1), "Stop")
      assert.isAtMost((orders.at(-1)?.at ?? Infinity) - last, 200 + 500)
      assert.strictEqual(calls().filter((one) => one === "Stop").length, 1)
    })
  )

  onFakes(
    "has it stop within half a second once its client is gone, however long it was to move",
    Effect.gen(function* () {
      const { calls, orders } = yield* startCamera()
      yield* add()
      const life = yield* Scope.make()
      const call = yield* Scope.provide(clientAs("operator"), life)
      yield* moves(call, { timeout_ms: 10_000 })
      const left = yield* Clock.currentTimeMillis
      yield* Scope.close(life, Exit.void)
      yield* pass(500)
      assert.deepEqual(calls(), ["ContinuousMove", "Stop"])
      assert.isAtMost((orders.at(-1)?.at ?? Infinity) - left, 500)
    })
  )

  onFakes(
    "that the camera has not answered when its client goes is followed by a stop, at once and once it is answered",
    Effect.gen(function* () {
      const answered = yield* Deferred.make<void>()
      const held = (call: string) => (call === "ContinuousMove" ? Deferred.await(answered) : Effect.void)
      const { calls } = yield* startCamera({}, held)
      yield* add()
      const life = yield* Scope.make()
      const call = yield* Scope.provide(clientAs("operator"), life)
      yield* Effect.forkScoped(moves(call, { timeout_ms: 10_000 }))
      yield* until(
        "the camera is told",
        Effect.sync(() => calls().length === 1)
      )
      yield* Scope.close(life, Exit.void)
      yield* pass(100)
      assert.deepEqual(calls(), ["ContinuousMove", "Stop"])
      yield* Deferred.succeed(answered, undefined)
      yield* pass(100)
      assert.deepEqual(calls(), ["ContinuousMove", "Stop", "Stop"])
    })
  )

  fakes.starts("ends with the service: the camera is told to stop", (run) => {
    const calls: Array<() => ReadonlyArray<string>> = []
    const moving = Effect.gen(function* () {
      // it is there longer than the service
      const camera = yield* startCamera()
      calls.push(camera.calls)
      yield* add()
      yield* moves(yield* clientAs("operator"), { timeout_ms: 10_000 })
      assert.deepEqual(camera.calls(), ["ContinuousMove"])
    })
    const world = Scope.make()
    return Effect.flatMap(world, (scope) => run(dataFolder, Scope.provide(moving, scope))).pipe(
      Effect.tap(() => Effect.sync(() => assert.deepEqual(calls[0]?.(), ["ContinuousMove", "Stop"])))
    )
  })

  onFakes(
    "is one client's at a time: another one is told who moves it and since when, and may stop it",
    Effect.gen(function* () {
      const { calls } = yield* startCamera()
      yield* add()
      const [one, other] = [yield* clientAs("operator"), yield* clientAs("admin")]
      yield* moves(one, { timeout_ms: 10_000 })
      for (const [method, params] of [
        ["ptz_move", { pan: 1 }],
        ["ptz_goto", { preset: "p1" }]
      ] as const) {
        const { error } = yield* other(method, params)
        assert.strictEqual(error?.code, -32020)
        assert.deepInclude(error?.data, { state: "MOVING", allowed_states: ["IDLE"] })
        assert.match(String(error?.data["reason"]), /^another client \(operator\) moves it since 1970-01-01T00:\d\d:/)
      }
      assert.deepEqual(calls(), ["ContinuousMove"])
      // the same user elsewhere is another client
      assert.strictEqual((yield* moves(yield* clientAs("operator"))).error?.code, -32020)
      assert.deepInclude((yield* other("ptz_stop")).result, { status: "STOPPED" })
      assert.deepInclude((yield* moves(other)).result, { status: "MOVING" })
      assert.strictEqual((yield* moves(one)).error?.code, -32020)
      yield* pass(1500)
      assert.deepInclude((yield* moves(one)).result, { status: "MOVING" })
    })
  )

  onFakes(
    "of two clients at once one has the camera",
    Effect.gen(function* () {
      const { calls } = yield* startCamera()
      yield* add()
      const [one, other] = [yield* clientAs("operator"), yield* clientAs("operator")]
      const answers = yield* Effect.all([moves(one), moves(other)], { concurrency: 2 })
      assert.sameMembers(
        answers.map(({ error, result }) => error?.code ?? result?.["status"]),
        ["MOVING", -32020]
      )
      assert.deepEqual(calls(), ["ContinuousMove"])
    })
  )

  onFakes(
    "says which rule a number breaks, and moves nothing",
    Effect.gen(function* () {
      const { calls } = yield* startCamera()
      yield* add()
      const call = yield* clientAs("operator")
      for (const [params, param] of [
        [{ pan: 1.01 }, "pan"],
        [{ tilt: -2 }, "tilt"],
        [{ zoom: "1" }, "zoom"],
        [{ pan: null }, "pan"],
        [{ pan: 1, timeout_ms: 99 }, "timeout_ms"],
        [{ pan: 1, timeout_ms: 10_001 }, "timeout_ms"],
        [{ pan: 1, speed: 1 }, "speed"],
        [{}, "pan"],
        [{ pan: 0, tilt: 0, zoom: 0 }, "pan"]
      ] as const) {
        const { error } = yield* call("ptz_move", params)
        assert.strictEqual(error?.code, -32602, JSON.stringify(params))
        assert.include(error?.data, { param })
      }
      assert.deepEqual(calls(), [])
    })
  )

  onFakes(
    "is not for cameras that cannot be moved, or are none",
    Effect.gen(function* () {
      yield* startCamera({ ptz: undefined as never })
      yield* add()
      const call = yield* clientAs("operator")
      assert.deepInclude((yield* call("get_camera_capabilities")).result, { ptz: false })
      for (const [camera, reason, suggestion] of [
        [device, "it has no PTZ service, or none for its stream", "get_camera_capabilities"],
        ["camera1", "it was added by the address of its stream", "http://…/onvif/device_service"],
        ["camera2", "it is no camera of the network", "get_camera_capabilities"]
      ] as const) {
        if (camera === "camera2") yield* attachCamera()
        if (camera === "camera1") {
          yield* asTimePasses(
            call("add_external_stream", {
              ...{ stream_url: `rtsp://${address}/live`, stream_name: "Gate" },
              device: undefined
            })
          )
        }
        for (const [method, params] of [
          ["ptz_move", { pan: 1 }],
          ["ptz_stop", {}],
          ["ptz_presets", {}],
          ["ptz_goto", { preset: "p1" }]
        ] as const) {
          const { error } = yield* call(method, { device: camera, ...params })
          assert.strictEqual(error?.code, -32030, `${method} ${camera}`)
          assert.include(error?.data, { feature: "ptz", reason })
          assert.include(error?.data?.["suggestion"], suggestion)
        }
      }
      assert.strictEqual((yield* call("ptz_move", { device: "camera7", pan: 1 })).error?.code, -32010)
    })
  )

  onFakes(
    "tells in words what the camera refuses, and stops what it may have begun",
    Effect.gen(function* () {
      const { calls } = yield* startCamera({
        instead: { ContinuousMove: () => reply(fault("ActionFailed", "motor is stuck"), 500) }
      })
      yield* add()
      const call = yield* clientAs("operator")
      const { error } = yield* moves(call)
      assert.strictEqual(error?.code, -32050)
      assert.include(error?.data, { dependency: "camera", reason: "PROTOCOL" })
      assert.include(error?.data["detail"], "motor is stuck")
      yield* pass(100)
      // with a time and without
      assert.deepEqual(calls(), ["ContinuousMove", "ContinuousMove", "Stop"])
      // and is free again
      assert.strictEqual((yield* moves(yield* clientAs("operator"))).error?.code, -32050)
    })
  )

  onFakes(
    "of a camera that is away fails with its fault, in seconds",
    Effect.gen(function* () {
      const { neighbours } = yield* TestGround
      yield* startCamera()
      yield* add()
      yield* neighbours.serve(address, 80, () => Effect.never)
      const { error } = yield* moves(yield* clientAs("operator"))
      assert.strictEqual(error?.code, -32050)
      assert.include(error?.data, { dependency: "camera", reason: "UNREACHABLE" })
    })
  )

  onFakes(
    "goes without a time to a camera that takes none, from then on",
    Effect.gen(function* () {
      const { calls, orders } = yield* startCamera({
        instead: {
          ContinuousMove: (answer, body) =>
            body.includes("Timeout") ? reply(fault("TimeoutNotSupported", "no timeout"), 500) : answer
        }
      })
      yield* add()
      const call = yield* clientAs("operator")
      for (let times = 0; times < 2; times++) assert.deepInclude((yield* moves(call)).result, { status: "MOVING" })
      assert.deepEqual(
        orders.map(({ body }) => body.includes("Timeout")),
        [true, false, false]
      )
      yield* pass(1500)
      assert.strictEqual(calls().at(-1), "Stop")
    })
  )
})
