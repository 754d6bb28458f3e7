import { expect, layer } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import { DependencyFailed, InvalidState } from "../../schema/Errors.ts"
import { connect, connectAs, layer as service } from "./Harness.ts"

const request = (method: string, params?: unknown, id: unknown = 1) => ({ jsonrpc: "2.0", id, method, params })
const failed = (code: number, data: unknown, id: unknown = 1) =>
  expect.objectContaining({ jsonrpc: "2.0", id, error: expect.objectContaining({ code, data }) })
const pong = (id: unknown) => ({ jsonrpc: "2.0", id, result: "pong" })

const ran: Array<string> = []
const gate = Deferred.makeUnsafe<void>()
const status = { message: "", available_cameras: [], discovery_active: false }

const service_ = service({
  get_system_status: () => Effect.succeed({ status: "ready" as const, ...status }),
  get_streams: () => Effect.die(new TypeError("the secret of /dev/video0")),
  // a result that breaks its own schema
  get_server_info: () => Effect.succeed({ name: 1 } as never),
  get_stream_url: () => Effect.interrupt,
  start_recording: ({ device }) =>
    Effect.fail(new InvalidState({ state: `${device} records`, allowed_states: ["idle"], suggestion: "stop it" })),
  take_snapshot: () =>
    Effect.fail(
      new DependencyFailed({
        dependency: "camera",
        detail: "no picture",
        tiers_tried: [{ tier: 1, outcome: "failed", ms: 3 }]
      })
    ),
  stop_recording: ({ device }) =>
    Effect.andThen(
      Effect.sync(() => ran.push(device)),
      Effect.die("after it ran")
    ),
  get_camera_capabilities: () => Effect.andThen(Deferred.await(gate), Effect.interrupt)
})

layer(service_)("JSON-RPC 2.0", (it) => {
  it.effect("a request gets one reply, with its id and its result", () =>
    Effect.gen(function* () {
      const client = yield* connect()
      client.send('{"jsonrpc":"2.0","id":1,"method":"ping"}')
      expect(yield* client.text).toBe('{"jsonrpc":"2.0","id":1,"result":"pong"}')
    })
  )

  it.effect("an id comes back byte for byte, in replies and in errors", () =>
    Effect.gen(function* () {
      const client = yield* connect()
      for (const id of ["1e3", "1.0", "12345678901234567890", '""', "null", '"\\u0041"', "-7", "0.1", "1e400"]) {
        client.send(`{"jsonrpc":"2.0","method":"ping","id":${id}}`)
        expect(yield* client.text).toBe(`{"jsonrpc":"2.0","id":${id},"result":"pong"}`)
        client.send(`{"jsonrpc":"2.0","method":"nothing","id":${id}}`)
        expect(yield* client.text).toContain(`"id":${id},"error":{"code":-32601`)
      }
    })
  )

  it.effect("params may be left out or empty where none are needed", () =>
    Effect.gen(function* () {
      const client = yield* connect()
      expect(yield* client.call(request("ping"))).toEqual(pong(1))
      for (const none of [{}, [], null]) expect(yield* client.call(request("ping", none))).toEqual(pong(1))
    })
  )

  it.effect("params may come by position, those that are required first; null leaves one out", () =>
    Effect.gen(function* () {
      const client = yield* connectAs("operator")
      const params = (given: unknown) => client.call(request("start_recording", given))
      const started = failed(-32020, expect.objectContaining({ state: "camera1 records" }))
      expect(yield* params(["camera1"])).toEqual(started)
      expect(yield* params(["camera1", 60, "mkv"])).toEqual(started)
      expect(yield* params(["camera1", null, "mkv"])).toEqual(started)
      const refused = (param: string, rule: unknown) => failed(-32602, { param, rule, hint: expect.any(String) })
      expect(yield* params([])).toEqual(refused("device", expect.stringMatching(/^required: /)))
      expect(yield* params([null, 60])).toEqual(refused("device", expect.stringMatching(/^required: /)))
      expect(yield* params(["camera1", "mkv"])).toEqual(refused("duration", expect.any(String)))
      expect(yield* params(["camera1", 60, "mkv", 1])).toEqual(refused("params[3]", "unknown parameter"))
      expect(yield* client.call(request("ping", [1]))).toEqual(refused("params[0]", "unknown parameter"))
    })
  )

  it.effect("a response that comes in is ignored, alone and in a batch", () =>
    Effect.gen(function* () {
      const client = yield* connect()
      const responses = [
        { jsonrpc: "2.0", id: 1, result: 5 },
        { jsonrpc: "2.0", id: null, error: { code: -32600, message: "Invalid Request" } }
      ]
      for (const response of responses) client.send(response)
      client.send(responses)
      expect(yield* client.call([...responses, request("ping", [], 3)])).toEqual([pong(3)])
    })
  )

  it.effect("errors speak the words of the specification, and of the contract", () =>
    Effect.gen(function* () {
      const client = yield* connectAs("viewer")
      const messageOf = (text: unknown) =>
        Effect.map(
          client.call(text),
          (reply) => (reply as { readonly error: { readonly message: string } }).error.message
        )
      expect(yield* messageOf("{")).toBe("Parse error")
      expect(yield* messageOf("1")).toBe("Invalid Request")
      expect(yield* messageOf(request("nothing"))).toBe("Method not found")
      expect(yield* messageOf(request("get_stream_url", { device: 1 }))).toBe("Invalid params")
      expect(yield* messageOf(request("get_streams"))).toBe("Internal error")
      expect(yield* messageOf(request("take_snapshot"))).toBe("Permission Denied")
    })
  )

  it.effect("a notification gets no reply, not even for an error, and still runs", () =>
    Effect.gen(function* () {
      const client = yield* connectAs("operator")
      const notify = (method: string, params: unknown) => client.send({ jsonrpc: "2.0", method, params })
      ran.length = 0
      notify("ping", {})
      notify("nothing", {})
      notify("ping", { unknown: 1 })
      notify("take_snapshot", { device: "camera0" })
      notify("stop_recording", { device: "camera5" })
      expect(yield* client.call(request("ping", {}, "last"))).toEqual(pong("last"))
      expect(ran).toEqual(["camera5"])
    })
  )

  it.effect("what is not JSON is a parse error with id null", () =>
    Effect.gen(function* () {
      const client = yield* connect()
      for (const text of ["", "{", '{"jsonrpc":"2.0","method":"ping"', '[{"jsonrpc":"2.0","id":1},', "NaN"]) {
        expect(yield* client.call(text)).toEqual(
          failed(-32700, { reason: expect.any(String), suggestion: expect.any(String) }, null)
        )
      }
    })
  )

  it.effect("what is no request object is an invalid request", () =>
    Effect.gen(function* () {
      const client = yield* connect()
      const hint = { hint: expect.any(String) }
      for (const message of ["1", '"ping"', "null", "true", "{}", '{"foo":"boo"}']) {
        expect(yield* client.call(message)).toEqual(failed(-32600, hint, null))
      }
      expect(yield* client.call('{"jsonrpc": "2.0", "method": 1, "params": "bar"}')).toEqual(failed(-32600, hint, null))
      expect(yield* client.call({ id: 4, method: "ping" })).toEqual(failed(-32600, hint, 4))
      expect(yield* client.call({ jsonrpc: "1.0", id: 4, method: "ping" })).toEqual(failed(-32600, hint, 4))
      expect(yield* client.call({ jsonrpc: 2, id: 4, method: "ping" })).toEqual(failed(-32600, hint, 4))
      expect(yield* client.call(request("ping", "text"))).toEqual(failed(-32600, hint))
      for (const id of [{}, [1], true])
        expect(yield* client.call(request("ping", {}, id))).toEqual(failed(-32600, hint, null))
    })
  )

  it.effect("an unknown method is answered with the nearest known one", () =>
    Effect.gen(function* () {
      const client = yield* connectAs("viewer")
      const near = yield* client.call(request("get_camera_lst"))
      expect(near).toEqual(failed(-32601, { hint: "did you mean get_camera_list?" }))
      for (const method of ["rpc.nothing", "constructor", "__proto__", "toString", "", "x".repeat(100_000)]) {
        expect(yield* client.call(request(method))).toEqual(failed(-32601, { hint: expect.any(String) }))
      }
    })
  )

  it.effect("a batch is answered by one array, in which every request has its reply", () =>
    Effect.gen(function* () {
      const client = yield* connect()
      const reply = yield* client.call(
        '[{"jsonrpc":"2.0","method":"ping","id":1.0},{"jsonrpc":"2.0","method":"ping"},{"foo":"boo"},1,' +
          '{"jsonrpc":"2.0","method":"nothing","id":"5"},{"jsonrpc":"2.0","method":"ping","id":"9"}]'
      )
      expect(reply).toHaveLength(5)
      expect(reply).toEqual(
        expect.arrayContaining([
          pong(1),
          failed(-32600, expect.anything(), null),
          failed(-32601, expect.anything(), "5"),
          pong("9")
        ])
      )
    })
  )

  it.effect("an empty batch is one invalid request; a batch of invalid entries has an error for each", () =>
    Effect.gen(function* () {
      const client = yield* connect()
      expect(yield* client.call("[]")).toEqual(failed(-32600, expect.anything(), null))
      expect(yield* client.call("[1,2,3]")).toEqual(
        Array.from({ length: 3 }, () => failed(-32600, expect.anything(), null))
      )
    })
  )

  it.effect("a batch of notifications alone gets nothing back", () =>
    Effect.gen(function* () {
      const client = yield* connect()
      client.send('[{"jsonrpc":"2.0","method":"ping"},{"jsonrpc":"2.0","method":"nothing"}]')
      expect(yield* client.call(request("ping", {}, 2))).toEqual(pong(2))
    })
  )

  it.effect("a batch may hold 50 entries; with 51 nothing of it runs", () =>
    Effect.gen(function* () {
      const client = yield* connect()
      const batch = (size: number) => Array.from({ length: size }, (_, id) => request("ping", {}, id))
      expect(yield* client.call(batch(50))).toHaveLength(50)
      expect(yield* client.call(batch(51))).toEqual(failed(-32600, { hint: expect.stringContaining("50") }, null))
    })
  )

  it.effect("params that break a rule are named, with the rule and a hint", () =>
    Effect.gen(function* () {
      const client = yield* connectAs("operator")
      const refused = (params: unknown) => client.call(request("take_snapshot", params))
      const data = (param: string, rule: unknown, hint: unknown = expect.any(String)) =>
        failed(-32602, { param, rule, hint })
      const device = "camera0"
      expect(yield* refused({})).toEqual(data("device", expect.stringMatching(/^required: a camera name/)))
      expect(yield* refused({ device: "front" })).toEqual(data("device", expect.stringContaining("a camera name")))
      expect(yield* refused({ device: 1 })).toEqual(data("device", expect.stringContaining("a camera name")))
      expect(yield* refused({ device, quality: 0 })).toEqual(data("quality", "a whole number from 1 to 100"))
      expect(yield* refused({ device, quality: 1.5 })).toEqual(data("quality", "a whole number from 1 to 100"))
      expect(yield* refused({ device, format: "gif" })).toEqual(data("format", 'one of "jpg", "jpeg", "png"'))
      expect(yield* refused({ device, qualty: 5 })).toEqual(
        data("qualty", "unknown parameter", "did you mean quality?")
      )
      expect(yield* refused({ device, zzzzzzzz: 5 })).toEqual(
        data("zzzzzzzz", "unknown parameter", expect.stringContaining("max_age_ms?"))
      )
      expect(yield* client.call(request("ping", { a: 1 }))).toEqual(
        data("a", "unknown parameter", "it takes no parameters")
      )
    })
  )

  it.effect("a value that was refused is not repeated in the error", () =>
    Effect.gen(function* () {
      const client = yield* connectAs("operator")
      client.send(request("take_snapshot", { device: "hunter2 ".repeat(1000) }))
      expect(yield* client.text).not.toContain("hunter2")
    })
  )

  it.effect("rights are checked before params: who may not call learns nothing of the params", () =>
    Effect.gen(function* () {
      const stranger = yield* connect()
      const viewer = yield* connectAs("viewer")
      for (const params of [{ nonsense: 1 }, [], { device: "camera0" }]) {
        expect(yield* stranger.call(request("take_snapshot", params))).toEqual(failed(-32001, expect.anything()))
        const roles = { required_role: "operator", have_role: "viewer" }
        expect(yield* viewer.call(request("take_snapshot", params))).toEqual(
          failed(-32002, { ...roles, suggestion: expect.stringContaining("operator") })
        )
      }
    })
  )

  it.effect("a typed error has its code, its name and its fields, and nothing of its insides", () =>
    Effect.gen(function* () {
      const client = yield* connectAs("operator")
      expect(yield* client.call(request("start_recording", { device: "camera1" }))).toEqual({
        jsonrpc: "2.0",
        id: 1,
        error: {
          code: -32020,
          message: "Invalid State",
          data: { state: "camera1 records", allowed_states: ["idle"], suggestion: "stop it" }
        }
      })
      expect(yield* client.call(request("take_snapshot", { device: "camera1" }))).toEqual(
        failed(-32050, {
          dependency: "camera",
          detail: "no picture",
          details: "camera1",
          tiers_tried: [{ tier: 1, outcome: "failed", ms: 3 }],
          suggestion: expect.stringContaining("get_camera_status")
        })
      )
    })
  )

  it.effect("a defect is an internal error with a number to ask for, and shows nothing of its insides", () =>
    Effect.gen(function* () {
      const client = yield* connectAs("viewer")
      const internal = failed(-32603, {
        request_id: expect.stringMatching(/^[0-9a-f]{32}$/),
        suggestion: expect.stringContaining("request_id")
      })
      expect(yield* client.call(request("get_streams"))).toEqual(internal)
      expect(yield* client.call(request("get_server_info"))).toEqual(internal)
      expect(yield* client.call(request("get_stream_url", { device: "camera0" }))).toEqual(internal)
      client.send(request("get_streams"))
      expect(yield* client.text).not.toMatch(/secret|TypeError|video0|\.ts/)
      expect(yield* client.call(request("ping"))).toEqual(pong(1))
    })
  )

  it.effect("calls of one connection run side by side", () =>
    Effect.gen(function* () {
      const client = yield* connectAs("viewer")
      client.send(request("get_camera_capabilities", { device: "camera0" }, "slow"))
      expect(yield* client.call(request("ping", {}, "quick"))).toEqual(pong("quick"))
      yield* Deferred.succeed(gate, undefined)
      expect(yield* client.next).toEqual(failed(-32603, expect.anything(), "slow"))
    })
  )

  it.effect("two calls may have the same id", () =>
    Effect.gen(function* () {
      const client = yield* connect()
      client.send(request("ping", {}, 7))
      client.send(request("ping", {}, 7))
      expect([yield* client.next, yield* client.next]).toEqual([pong(7), pong(7)])
    })
  )

  it.effect("deep nesting, __proto__ keys and huge numbers harm nobody", () =>
    Effect.gen(function* () {
      const client = yield* connectAs("operator")
      const other = yield* connect()
      const deep = `${"[".repeat(10_000)}${"]".repeat(10_000)}`
      const bad = failed(-32602, expect.anything())
      for (const params of [
        `{"device":${deep}}`,
        `{"device":"camera0","a":${deep}}`,
        '{"device":"camera0","__proto__":{"admin":true}}',
        '{"__proto__":{"device":"camera0"}}',
        '{"device":"camera0","constructor":1}',
        '{"device":"camera0","quality":1e999}',
        deep
      ]) {
        const text = `{"jsonrpc":"2.0","id":1,"method":"take_snapshot","params":${params}}`
        expect(yield* client.call(text)).toEqual(bad)
      }
      expect(yield* client.call(deep)).toEqual([failed(-32600, expect.anything(), null)])
      expect(
        yield* client.call(`{"jsonrpc":"2.0","id":1,"method":"ping","extra":${deep},"__proto__":{"id":2}}`)
      ).toEqual(pong(1))
      expect(yield* other.call(request("ping"))).toEqual(pong(1))
      expect(({} as Record<string, unknown>)["admin"]).toBeUndefined()
    })
  )
})
