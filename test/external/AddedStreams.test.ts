import { assert, describe } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { TestClock } from "effect/testing"
import { asTimePasses, settle } from "../../testing/PassingTime.ts"
import { TestGround } from "../../testing/TestGround.ts"
import { connectAs } from "../rpc/Harness.ts"
import { dataFolder, fakes, onFakes } from "../support/App.ts"
import { until } from "../support/Ground.ts"
import { add, address, ask, becomes, clientAs, fileOf, startCamera, streamsOf, url } from "./ExternalBench.ts"

/** the files of added streams are left as they are */
const untouched = { external: { enabled: false } }

describe("added streams", () => {
  fakes.starts("are the same cameras after a restart, and are opened with the same password", (run) => {
    const camera = Effect.tap(startCamera, ({ disturb }) =>
      disturb({ login: { user: "admin", password: "p@ss", way: "MD5" } })
    )
    const before = Effect.gen(function* () {
      yield* camera
      const call = yield* clientAs("operator")
      yield* add(call, "rtsp://192.168.1.60/other")
      assert.include((yield* add(call, `rtsp://admin:p%40ss@${address}/live`)).result, { device: "camera1" })
      yield* call("remove_external_stream", { stream_url: "rtsp://192.168.1.60/other" })
    })
    const after = Effect.gen(function* () {
      yield* camera
      const call = yield* clientAs("operator")
      yield* becomes(call, "ONLINE")
      const [stream] = yield* streamsOf(call)
      assert.deepInclude(stream, { url, name: "Gate", capabilities: ["h264", "640x480", "klv"] })
      assert.include((yield* call("get_camera_status", { device: "camera1" })).result, { status: "CONNECTED" })
      // another stream gets another name: the files of the one that is gone have its own
      assert.include((yield* add(call, "rtsp://192.168.1.61/third")).result, { device: "camera2" })
      assert.include((yield* add(call, "rtsp://192.168.1.60/other")).result, { device: "camera0" })
    })
    return Effect.andThen(run(dataFolder, before), run(dataFolder, after))
  })

  fakes.starts("of one recorder, with one password, are all there at once after a start", (run) => {
    const camera = Effect.tap(startCamera, ({ disturb }) =>
      disturb({ login: { user: "admin", password: "word", way: "MD5" } })
    )
    const channels = Array.from({ length: 8 }, (_, channel) => `rtsp://admin:word@${address}/live?channel=${channel}`)
    const before = Effect.gen(function* () {
      yield* camera
      const call = yield* clientAs("operator")
      for (const channel of channels) assert.include((yield* add(call, channel)).result, { status: "ADDED" })
    })
    const after = Effect.gen(function* () {
      const { rejections } = yield* camera
      const call = yield* clientAs("operator")
      for (let second = 0; second < 5; second++) yield* Effect.andThen(TestClock.adjust("1 second"), settle)
      assert.deepEqual(
        (yield* streamsOf(call)).map(({ status }) => status),
        channels.map(() => "ONLINE")
      )
      assert.strictEqual(rejections(), 0)
    })
    return Effect.andThen(run(dataFolder, before), run(dataFolder, after))
  })

  fakes.starts("whose file shows what is hidden now are opened with it, and their file shows it no more", (run) => {
    const before = Effect.gen(function* () {
      const { disk } = yield* TestGround
      const stream = { url: `${url}?key=geheim`, type: "generic_rtsp", name: "Gate", discoveredAt: 1, lastSeen: 1 }
      const text = JSON.stringify({ version: 1, streams: [stream], left: [] })
      disk.outside.write(`${dataFolder}/external_streams.json`, new TextEncoder().encode(text))
    })
    const after = Effect.gen(function* () {
      const camera = yield* startCamera
      const call = yield* clientAs("operator")
      yield* becomes(call, "ONLINE")
      assert.strictEqual((yield* streamsOf(call))[0]?.url, `${url}?key=***`)
      assert.include(camera.requests(), `DESCRIBE ${url}?key=geheim`)
      assert.notInclude(yield* fileOf("external_streams.json"), "geheim")
      assert.strictEqual((yield* add(call, `${url}?key=geheim`)).error?.code, -32020)
    })
    return Effect.andThen(run(dataFolder, before), run(dataFolder, after))
  })

  fakes.starts("begin anew where their file is not readable: it is kept, and what opens them, however often", (run) => {
    const spoil = (text: string) =>
      Effect.map(TestGround, ({ disk }) => {
        disk.outside.remove(`${dataFolder}/external_streams.json`)
        disk.outside.write(`${dataFolder}/external_streams.json`, new TextEncoder().encode(text))
      })
    const addOne = (last: number) =>
      Effect.flatMap(clientAs("operator"), (call) => add(call, `rtsp://admin:geheim-${last}@192.168.1.${last}/live`))
    const after = Effect.gen(function* () {
      const call = yield* clientAs("operator")
      assert.deepStrictEqual(yield* streamsOf(call), [])
      assert.strictEqual(yield* fileOf("external_streams.json.bad"), "{")
      assert.include(yield* fileOf("secrets/external_streams.json.bad"), "geheim-1")
      assert.include((yield* addOne(2)).result, { device: "camera1" })
    })
    const afterAnother = Effect.gen(function* () {
      assert.include((yield* addOne(3)).result, { device: "camera2" })
      assert.strictEqual(yield* fileOf("external_streams.json.bad"), "{")
      assert.strictEqual(yield* fileOf("external_streams.json.bad2"), "[")
      assert.include(yield* fileOf("secrets/external_streams.json.bad"), "geheim-1")
      assert.include(yield* fileOf("secrets/external_streams.json.bad2"), "geheim-2")
    })
    return run(dataFolder, addOne(1)).pipe(
      Effect.andThen(run(dataFolder, spoil("{"), untouched)),
      Effect.andThen(run(dataFolder, after)),
      Effect.andThen(run(dataFolder, spoil("["), untouched)),
      Effect.andThen(run(dataFolder, afterAnother))
    )
  })

  fakes.starts("whose secrets are not readable ask for their passwords, and the file with them is kept", (run) => {
    const url = `rtsp://admin:geheim@${address}/live`
    const camera = Effect.tap(startCamera, ({ disturb }) =>
      disturb({ login: { user: "admin", password: "geheim", way: "MD5" } })
    )
    const before = Effect.andThen(
      camera,
      Effect.flatMap(clientAs("operator"), (call) => add(call, url))
    )
    const spoil = Effect.map(TestGround, ({ disk }) => {
      const file = `${dataFolder}/secrets/external_streams.json`
      const text = new TextDecoder().decode(disk.outside.read(file)).replace("}", "")
      disk.outside.remove(file)
      disk.outside.write(file, new TextEncoder().encode(text))
    })
    const after = Effect.gen(function* () {
      const { rejections } = yield* camera
      const call = yield* clientAs("operator")
      yield* becomes(call, "ERROR")
      assert.strictEqual(rejections(), 0)
      assert.include(yield* fileOf("secrets/external_streams.json.bad"), "geheim")
      yield* call("remove_external_stream", { stream_url: url })
      assert.include((yield* add(call, url)).result, { device: "camera0" })
      assert.include(yield* fileOf("secrets/external_streams.json.bad"), "geheim")
    })
    return run(dataFolder, before).pipe(
      Effect.andThen(run(dataFolder, spoil, untouched)),
      Effect.andThen(run(dataFolder, after))
    )
  })

  onFakes(
    "of two who add one at once, both are kept",
    Effect.gen(function* () {
      const clients = [yield* connectAs("operator"), yield* connectAs("operator")]
      const adding = clients.map((client, last) =>
        ask(client, "add_external_stream", { stream_url: `rtsp://192.168.1.7${last}/live`, stream_name: "Gate" })
      )
      yield* asTimePasses(Effect.all(adding, { concurrency: 2 }))
      const kept = yield* fileOf("external_streams.json")
      for (const last of [0, 1]) assert.include(kept, `rtsp://192.168.1.7${last}/live`)
    })
  )

  onFakes(
    "that cannot be kept are not added",
    Effect.gen(function* () {
      const call = yield* clientAs("operator")
      const { disk } = yield* TestGround
      yield* Effect.scoped(
        Effect.gen(function* () {
          yield* disk.suffer({ name: "small", bytes: 0 })
          const { error } = yield* add(call)
          assert.include(error?.data, { dependency: "storage" })
        })
      )
      assert.deepStrictEqual(yield* streamsOf(call), [])
      assert.include((yield* add(call)).result, { device: "camera0" })
    })
  )
})

describe("remove_external_stream", () => {
  onFakes(
    "takes the URL as it was given and as it is shown, and the camera keeps its name with another secret",
    Effect.gen(function* () {
      const camera = yield* startCamera
      const call = yield* clientAs("operator")
      const remove = (stream_url: string) => call("remove_external_stream", { stream_url })
      assert.include((yield* add(call, `${url}?channel=1&key=geheim`)).result, { device: "camera0" })
      assert.include((yield* add(call, `${url}?channel=2&key=geheim`)).result, { device: "camera1" })
      assert.include((yield* remove(`${url}?channel=1&key=geheim`)).result, { status: "REMOVED" })
      assert.include((yield* add(call, `${url}?channel=1&key=other`)).result, { device: "camera0" })
      assert.include(camera.requests(), `DESCRIBE ${url}?channel=1&key=other`)
      assert.include((yield* remove(`${url}?channel=1&key=***`)).result, { status: "REMOVED" })
      assert.deepStrictEqual(
        (yield* streamsOf(call)).map((stream) => stream.url),
        [`${url}?channel=2&key=***`]
      )
    })
  )

  onFakes(
    "forgets the camera: it is on no list, and has no path any more",
    Effect.gen(function* () {
      const call = yield* clientAs("operator")
      yield* startCamera
      yield* add(call, `rtsp://admin:geheim@${address}/live`)
      const { result } = yield* call("remove_external_stream", { stream_url: `rtsp://${address}:554/live` })
      assert.include(result, { stream_url: url, status: "REMOVED" })
      assert.deepStrictEqual(yield* streamsOf(call), [])
      assert.include((yield* call("get_camera_list")).result, { total: 0 })
      assert.strictEqual((yield* call("get_camera_status", { device: "camera0" })).error?.code, -32010)
      yield* until(
        "its path is gone",
        Effect.map(call("get_streams"), (streams) => (streams.result as unknown as ReadonlyArray<unknown>).length === 0)
      )
      for (const file of ["external_streams.json", "secrets/external_streams.json"]) {
        assert.notInclude(yield* fileOf(file), address)
      }
    })
  )
})
