import { assert } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { onFakes } from "../support/App.ts"
import { connectAs } from "./Harness.ts"

onFakes(
  "methods of external streams check who asks, and for what",
  Effect.gen(function* () {
    const [viewer, operator, admin] = [
      yield* connectAs("viewer"),
      yield* connectAs("operator"),
      yield* connectAs("admin")
    ]
    const errorOf = (client: typeof admin, method: string, params: object) =>
      Effect.map(
        client.call({ jsonrpc: "2.0", id: 1, method, params }),
        (reply) => (reply as { readonly error: { readonly code: number; readonly data: object } }).error
      )
    for (const method of ["discover_external_streams", "add_external_stream", "remove_external_stream"]) {
      assert.strictEqual((yield* errorOf(viewer, method, {})).code, -32002, method)
    }
    assert.strictEqual((yield* errorOf(operator, "set_discovery_interval", { scan_interval: 0 })).code, -32002)
    const stream_url = "rtsp://192.168.42.10:8554/video"
    // what concerns every camera is not for who may see some
    const ofOne = yield* connectAs("admin", ["camera1"])
    for (const [method, params, required_role] of [
      ["discover_external_streams", {}, "operator of all cameras"],
      ["add_external_stream", { stream_url, stream_name: "x" }, "operator of all cameras"],
      ["set_discovery_interval", { scan_interval: 60 }, "admin of all cameras"]
    ] as const) {
      const { code, data } = yield* errorOf(ofOne, method, params)
      assert.strictEqual(code, -32002, method)
      assert.include(data, { required_role, have_role: "admin of camera1" })
    }
    for (const [method, params, param] of [
      ["add_external_stream", { stream_url: "file:///etc/passwd", stream_name: "x" }, "stream_url"],
      ["add_external_stream", { stream_url, stream_name: " " }, "stream_name"],
      ["add_external_stream", { stream_url, stream_name: "x", stream_type: "ftp" }, "stream_type"],
      ["remove_external_stream", { stream_url: "video" }, "stream_url"],
      ["get_external_streams", { type: "onvif" }, "type"],
      ["set_discovery_interval", { scan_interval: -1 }, "scan_interval"],
      ["set_discovery_interval", { scan_interval: 86_401 }, "scan_interval"]
    ] as const) {
      const { code, data } = yield* errorOf(admin, method, params)
      assert.strictEqual(code, -32602, method)
      assert.include(data, { param })
    }
    for (const scan_interval of [1, 4, 5.5]) {
      const { code, data } = yield* errorOf(admin, "set_discovery_interval", { scan_interval })
      assert.strictEqual(code, -32602)
      assert.include(data, { param: "scan_interval", rule: "0, or whole seconds from 5 to 86400" })
    }
  })
)

onFakes(
  "rpc.discover gives the document, to whoever has authenticated",
  Effect.gen(function* () {
    const viewer = yield* connectAs("viewer")
    const reply = (yield* viewer.call({ jsonrpc: "2.0", id: 1, method: "rpc.discover" })) as {
      readonly result: { readonly openrpc: string; readonly methods: ReadonlyArray<object> }
    }
    assert.strictEqual(reply.result.openrpc, "1.3.2")
    assert.isAbove(reply.result.methods.length, 20)
    const again = yield* viewer.call({ jsonrpc: "2.0", id: 1, method: "rpc.discover", params: [] })
    assert.deepStrictEqual(again, reply)
  })
)
