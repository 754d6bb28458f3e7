import { assert, describe } from "@effect/vitest"
import * as Clock from "effect/Clock"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Scope from "effect/Scope"
import { TestClock } from "effect/testing"
import type { Role } from "../../schema/Auth.ts"
import { asTimePasses, settle } from "../../testing/PassingTime.ts"
import { TestGround } from "../../testing/TestGround.ts"
import { connectAs } from "../rpc/Harness.ts"
import { dataFolder, fakes, onFakes } from "../support/App.ts"
import { until } from "../support/Ground.ts"
import { fault, playCamera, type PlayedCamera, reply } from "../support/OnvifCamera.ts"

// what Node loads is not waited for by the test's clock
await import("fast-xml-parser")
await crypto.subtle.digest("SHA-1", new Uint8Array())

const address = "192.168.1.64"
const device = "camera0"
const login = { name: "admin", password: "canary-of-ptz" }
const ptz = { p1: "Gate", "tok&2": "Door" }

interface Answer {
  readonly id?: number
  readonly result?: Readonly<Record<string, unknown>>
  readonly error?: { readonly code: number; readonly data: Readonly<Record<string, unknown>> }
}

/** What the camera was told of its movements, and when: `ContinuousMove`, `Stop`, `GotoPreset`. */
interface Order {
  readonly call: string
  readonly at: number
  readonly body: string
}

/**
 * A camera that can be moved; `delay` holds up its answers to a call. It wants no password as a rule: digests are made in
 * Node's threads, which the test's clock does not wait for.
 */
const startCamera = Effect.fnUntraced(function* (
  played: PlayedCamera = {},
  delay: (call: string) => Effect.Effect<void> = () => Effect.void
) {
  const { neighbours, rtspCameras } = yield* TestGround
  const { answer, seen } = playCamera({ host: address, ptz, ...played })
  const orders: Array<Order> = []
  yield* neighbours.serve(address, 80, (request) =>
    Effect.gen(function* () {
      const call = /<s:Body><(\w+)/.exec(request.body ?? "")?.[1] ?? ""
      if (["ContinuousMove", "Stop", "GotoPreset"].includes(call)) {
        orders.push({ call, at: yield* Clock.currentTimeMillis, body: request.body ?? "" })
      }
      yield* delay(call)
      return yield* answer(request)
    })
  )
  yield* rtspCameras.start(address, 554)
  return { answer, orders, seen, calls: () => orders.map(({ call }) => call) }
})

/** A client that calls while time passes, in a scope of its own where it is to go before the test's end. */
const clientAs = Effect.fnUntraced(function* (role: Role) {
  const client = yield* connectAs(role)
  const ask = Effect.fnUntraced(function* (method: string, params: object) {
    client.send({ jsonrpc: "2.0", id: 1, method, params })
    for (;;) {
      const heard = (yield* client.next) as Answer
      if (heard.id === 1) return heard
    }
  })
  return (method: string, params: object = {}) => asTimePasses(ask(method, { device, ...params }))
})
type Call = Effect.Success<ReturnType<typeof clientAs>>

const add = Effect.fnUntraced(function* (user = "") {
  const stream_url = `http://${user}${address}/onvif/device_service`
  const client = yield* connectAs("operator")
  client.send({ jsonrpc: "2.0", id: 1, method: "add_external_stream", params: { stream_url, stream_name: "Dome" } })
  const added = Effect.repeat(client.next, { until: (message) => (message as Answer).id === 1 })
  assert.deepInclude(((yield* asTimePasses(added)) as Answer).result, { device })
})

const pass = (millis: number) =>
  Effect.forEach(Array.from({ length: millis / 50 }), () => Effect.andThen(TestClock.adjust("50 millis"), settle), {
    discard: true
  })

const moves = (call: Call, more: object = {}) => call("ptz_move", { pan: 0.5, ...more })

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
      for (const camera of [device, "camera1"]) {
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
          assert.include(error?.data, { feature: "ptz" })
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
