import { assert, describe } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as SubscriptionRef from "effect/SubscriptionRef"
import { TestClock } from "effect/testing"
import type { NotFound } from "../../schema/Errors.ts"
import { DiscoveryInterval } from "../../src/external/DiscoveryInterval.ts"
import { ExternalStreams } from "../../src/external/ExternalStreams.ts"
import { parseStreamUrl } from "../../src/external/StreamUrl.ts"
import { Streams } from "../../src/stream/Streams.ts"
import { asTimePasses, settle } from "../../testing/PassingTime.ts"
import { TestGround } from "../../testing/TestGround.ts"
import { connectAs } from "../rpc/Harness.ts"
import { dataFolder, fakes, onFakes } from "../support/App.ts"
import { until } from "../support/Ground.ts"
import { add, address, becomes, clientAs, startCamera, streamsOf, url } from "./ExternalBench.ts"

onFakes(
  "of two who remove one stream at once, one does, and the other forgets nothing",
  Effect.gen(function* () {
    yield* startCamera
    const call = yield* clientAs("operator")
    yield* add(call)
    yield* call("start_recording", { device: "camera0" })
    const streams = yield* ExternalStreams
    const parsed = yield* Effect.fromResult(parseStreamUrl(url))
    const first = yield* Effect.forkChild(streams.remove(parsed), { startImmediately: true })
    const { resource } = yield* Effect.flip(streams.remove(parsed) as Effect.Effect<void, NotFound>)
    assert.strictEqual(resource, "stream")
    // its recording takes a while to end; a scan sees the stream meanwhile
    while (streams.list().length > 0) yield* Effect.yieldNow
    yield* streams.seen([{ url: parsed, type: "generic_rtsp", name: "Gate", capabilities: [] }])
    assert.isUndefined(first.pollUnsafe())
    assert.strictEqual((yield* Effect.flip(streams.remove(parsed)))._tag, "NotFound")
    assert.deepStrictEqual(
      streams.list().map(({ status }) => status),
      ["DISCOVERED"]
    )
    yield* asTimePasses(Fiber.join(first))
  })
)

describe("an added stream that somebody needs", () => {
  onFakes(
    "is asked nothing beside: it shows by itself how its camera is",
    Effect.gen(function* () {
      const camera = yield* startCamera
      const call = yield* clientAs("operator")
      yield* add(call)
      assert.include((yield* call("start_streaming", { device: "camera0" })).result, { status: "STARTED" })
      const asked = camera.requests().filter((request) => request.startsWith("DESCRIBE")).length
      yield* Effect.repeat(Effect.andThen(TestClock.adjust("1 second"), settle), { times: 130 })
      assert.lengthOf(
        camera.requests().filter((request) => request.startsWith("DESCRIBE")),
        asked
      )
      assert.strictEqual(camera.mostAtOnce(), 1)
      const [stream] = yield* streamsOf(call)
      // the test's clock began in 1970
      assert.isAbove(Date.parse(stream?.last_seen ?? ""), 100_000)
      yield* camera.disturb({ isStalled: true })
      yield* becomes(call, "OFFLINE")
      yield* camera.disturb({ isStalled: false })
      yield* becomes(call, "ONLINE")
    })
  )

  onFakes(
    "and is in use when it is to be asked keeps no other camera waiting",
    Effect.gen(function* () {
      const streams = yield* Streams
      const camera = yield* startCamera
      const call = yield* clientAs("operator")
      yield* add(call)
      for (let number = 1; number <= 8; number++) {
        yield* add(call, `rtsp://10.0.0.${number}/live`)
        yield* Effect.forkScoped(streams.withDevice(`camera${number}`)(Effect.never))
      }
      yield* camera.disturb({ isSilent: true })
      yield* becomes(call, "OFFLINE")
    })
  )

  onFakes(
    "ends with it: the recording is whole, the camera's session is over",
    Effect.gen(function* () {
      const camera = yield* startCamera
      const call = yield* clientAs("operator")
      yield* add(call)
      const { result } = yield* call("start_recording", { device: "camera0" })
      assert.include(result, { status: "RECORDING" })
      assert.strictEqual(camera.playing(), 1)
      const told = yield* connectAs("viewer")
      assert.include((yield* call("remove_external_stream", { stream_url: url })).result, { status: "REMOVED" })
      assert.strictEqual(camera.playing(), 0)
      const updates: Array<unknown> = []
      while (!updates.includes("STOPPED")) {
        const { method, params } = (yield* told.next) as { method: string; params: { status: string } }
        if (method === "recording_status_update") updates.push(params.status)
      }
      assert.deepInclude((yield* call("list_recordings")).result, { total: 1 })
      assert.include((yield* call("get_camera_list")).result, { total: 0 })
    })
  )
})

onFakes(
  "a viewer of a stream that is removed keeps no session at its camera",
  Effect.gen(function* () {
    const camera = yield* startCamera
    const call = yield* clientAs("operator")
    const streams = yield* Streams
    yield* add(call)
    const stream = yield* streams.lease("camera0", "viewer")
    yield* asTimePasses(streams.awaitReady(stream))
    assert.strictEqual(camera.playing(), 1)
    yield* call("remove_external_stream", { stream_url: url })
    yield* until(
      "the session is over",
      Effect.sync(() => camera.playing() === 0)
    )
    yield* Effect.repeat(Effect.andThen(TestClock.adjust("1 second"), settle), { times: 40 })
    assert.strictEqual(camera.playing(), 0)
  })
)

describe("streams that a scan has seen", () => {
  const seen = Effect.fnUntraced(function* (...texts: ReadonlyArray<string>) {
    const streams = yield* ExternalStreams
    for (const text of texts) {
      const parsed = yield* Effect.fromResult(parseStreamUrl(text))
      yield* streams.seen([{ url: parsed, type: "skydio_stanag4609", name: "Skydio", capabilities: ["klv"] }])
    }
  })

  onFakes(
    "are listed until they are added or forgotten, and never more than a bound",
    Effect.gen(function* () {
      const call = yield* clientAs("operator")
      yield* seen("rtsp://192.168.42.10:5554/subject", url)
      const [first] = yield* streamsOf(call)
      assert.deepInclude(first, { type: "skydio_stanag4609", status: "DISCOVERED", capabilities: ["klv"] })
      assert.include((yield* call("get_camera_list")).result, { total: 0 })
      yield* add(call)
      yield* seen(url)
      assert.deepStrictEqual(
        (yield* streamsOf(call)).map(({ status }) => status),
        ["OFFLINE", "DISCOVERED"]
      )
      yield* call("remove_external_stream", { stream_url: first?.url })
      assert.lengthOf(yield* streamsOf(call), 1)
      yield* seen(...Array.from({ length: 1030 }, (_, at) => `rtsp://10.0.${at >> 8}.${at & 255}/a`))
      assert.lengthOf(yield* streamsOf(call), 1 + 1024)
    })
  )

  onFakes(
    "and all others are shown to those who may see them",
    Effect.gen(function* () {
      const call = yield* clientAs("operator")
      yield* add(call, `rtsp://admin:geheim@${address}/live`)
      yield* add(call, "rtsp://192.168.1.65/live")
      yield* seen("rtsp://192.168.42.10:5554/subject")
      assert.lengthOf(yield* streamsOf(yield* clientAs("viewer")), 3)
      const guard = yield* clientAs("operator", ["camera1"])
      assert.deepStrictEqual(
        (yield* streamsOf(guard)).map((stream) => stream.url),
        ["rtsp://192.168.1.65/live"]
      )
      assert.strictEqual((yield* add(guard, "rtsp://192.168.1.66/live")).error?.code, -32002)
      for (const stream_url of [url, "rtsp://192.168.42.10:5554/subject"]) {
        const { error } = yield* guard("remove_external_stream", { stream_url })
        assert.strictEqual(error?.code, -32010, stream_url)
      }
      assert.include((yield* guard("remove_external_stream", { stream_url: "rtsp://192.168.1.65/live" })).result, {
        status: "REMOVED"
      })
      assert.lengthOf(yield* streamsOf(call), 2)
    })
  )
})

fakes.starts(
  "what was added is no camera, and nothing is added, where streams of the network are switched off",
  (run) => {
    const off = Effect.gen(function* () {
      const { peers } = yield* TestGround
      const call = yield* clientAs("admin")
      assert.deepStrictEqual(yield* streamsOf(call), [])
      assert.include((yield* call("get_camera_list")).result, { total: 0 })
      const refused = [yield* add(call), yield* call("discover_external_streams")]
      refused.push(yield* call("set_discovery_interval", { scan_interval: 60 }))
      for (const { error } of refused) {
        assert.strictEqual(error?.code, -32030)
        assert.deepInclude(error?.data, { feature: "external_streams" })
      }
      assert.notInclude((yield* call("get_server_info")).result?.["capabilities"], "external_streams")
      assert.lengthOf(peers.dialled(), 1)
    })
    const on = Effect.gen(function* () {
      const call = yield* clientAs("admin")
      assert.lengthOf(yield* streamsOf(call), 1)
      assert.include((yield* call("get_server_info")).result?.["capabilities"], "external_streams")
    })
    return run(
      dataFolder,
      Effect.flatMap(clientAs("operator"), (call) => add(call))
    ).pipe(Effect.andThen(run(dataFolder, off, { external: { enabled: false } })), Effect.andThen(run(dataFolder, on)))
  }
)

describe("set_discovery_interval", () => {
  fakes.starts("holds after a restart", (run) => {
    const set = Effect.gen(function* () {
      const call = yield* clientAs("admin")
      assert.deepInclude((yield* call("set_discovery_interval", { scan_interval: 300 })).result, {
        scan_interval: 300,
        status: "UPDATED",
        message: "streams are looked for every 300 s"
      })
    })
    const look = Effect.gen(function* () {
      const { now } = yield* DiscoveryInterval
      assert.strictEqual(yield* SubscriptionRef.get(now), 300)
    })
    return Effect.andThen(run(dataFolder, set), run(dataFolder, look))
  })

  fakes.starts("that an older service kept shorter than it may be is the shortest after a start", (run) => {
    const keep = Effect.map(TestGround, ({ disk }) =>
      disk.outside.write(`${dataFolder}/discovery.json`, new TextEncoder().encode('{"version":1,"scan_interval":1}'))
    )
    const look = Effect.gen(function* () {
      const { now } = yield* DiscoveryInterval
      assert.strictEqual(yield* SubscriptionRef.get(now), 5)
    })
    return Effect.andThen(run(dataFolder, keep), run(dataFolder, look))
  })
})
