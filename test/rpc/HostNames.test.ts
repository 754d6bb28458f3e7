import { assert, describe } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { Devices } from "../../src/device/Devices.ts"
import { faultOf } from "../../src/device/Fault.ts"
import { asTimePasses } from "../../testing/PassingTime.ts"
import { onFakes, plugIn } from "../support/App.ts"
import { connect, connectAs } from "./Harness.ts"

/** Who came by this host: how to ask for URLs, and the hosts that are told. */
const visitorBy = Effect.fnUntraced(function* (host: string) {
  const client = yield* connectAs("viewer", undefined, { headers: { host } })
  const next = Effect.map(asTimePasses(client.next), (message) => JSON.stringify(message))
  const hostsIn = (text: string) => [
    ...new Set(Array.from(text.matchAll(/\/\/([^/]+):\d+\/camera0/g), ([, name]) => name))
  ]
  const hosts = (method: string, params: object) =>
    Effect.map(
      Effect.andThen(
        Effect.sync(() => client.send({ jsonrpc: "2.0", id: 1, method, params })),
        next
      ),
      hostsIn
    )
  return { hosts, told: Effect.map(next, hostsIn) }
})

const asked = Effect.fnUntraced(function* (host: string) {
  const visitor = yield* visitorBy(host)
  const [list, status, url] = [
    yield* visitor.hosts("get_camera_list", {}),
    yield* visitor.hosts("get_camera_status", { device: "camera0" }),
    yield* visitor.hosts("get_stream_url", { device: "camera0" })
  ]
  assert.deepStrictEqual(status, list)
  assert.deepStrictEqual(url, list)
  return list
})

describe("the URLs that a client is told name", () => {
  onFakes(
    "the host by which it came, where MediaMTX listens everywhere",
    Effect.gen(function* () {
      yield* plugIn()
      for (const [header, host] of [
        ["cam.example:8002", "cam.example"],
        ["192.168.0.7:8002", "192.168.0.7"],
        ["[2001:db8::7]", "[2001:db8::7]"]
      ] as const) {
        assert.deepStrictEqual(yield* asked(header), [host])
      }
      for (const nonsense of ["evil.example/x?", "user:password@cam.example", ""]) {
        assert.deepStrictEqual(yield* asked(nonsense), ["test-machine"])
      }
    }),
    { mediamtx: { host: "0.0.0.0" } }
  )

  onFakes(
    "that host in notifications too, each client's own",
    Effect.gen(function* () {
      const devices = yield* Devices
      const camera = yield* plugIn()
      const visitors = [
        yield* visitorBy("cam.example"),
        yield* visitorBy("10.0.0.1"),
        yield* visitorBy("cam.example:80")
      ]
      yield* devices.fault(camera, faultOf("BUSY", "opened by obs"))
      const told = yield* Effect.forEach(visitors, (visitor) => visitor.told)
      assert.deepStrictEqual(told, [["cam.example"], ["10.0.0.1"], ["cam.example"]])
    }),
    { mediamtx: { host: "::" } }
  )

  onFakes(
    "where MediaMTX listens, where that is one address",
    Effect.gen(function* () {
      yield* plugIn()
      assert.deepStrictEqual(yield* asked("cam.example"), ["192.0.2.9"])
    }),
    { mediamtx: { host: "192.0.2.9" } }
  )

  onFakes(
    "what the operator says",
    Effect.gen(function* () {
      yield* plugIn()
      assert.deepStrictEqual(yield* asked("127.0.0.1:8002"), ["video.example"])
    }),
    { server: { public_host: "video.example" }, mediamtx: { host: "0.0.0.0" } }
  )

  onFakes(
    "few hosts at once: whoever invents more is told the machine's name",
    Effect.gen(function* () {
      yield* plugIn()
      // who does not authenticate takes no name from anybody
      for (let n = 0; n < 20; n++) yield* connect({ headers: { host: `stranger${n}.example` } })
      for (let n = 0; n < 16; n++) assert.deepStrictEqual(yield* asked(`host${n}.example`), [`host${n}.example`])
      assert.deepStrictEqual(yield* asked("one-more.example"), ["test-machine"])
    }),
    { mediamtx: { host: "0.0.0.0" } }
  )
})
