import { assert, describe } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as SubscriptionRef from "effect/SubscriptionRef"
import { TestClock } from "effect/testing"
import type { Role } from "../../schema/Auth.ts"
import type { NotFound } from "../../schema/Errors.ts"
import type { ExternalStream } from "../../schema/External.ts"
import { DiscoveryInterval } from "../../src/external/DiscoveryInterval.ts"
import { ExternalStreams } from "../../src/external/ExternalStreams.ts"
import { parseStreamUrl } from "../../src/external/StreamUrl.ts"
import { Streams } from "../../src/stream/Streams.ts"
import { asTimePasses, settle } from "../../testing/PassingTime.ts"
import { cameraSdp } from "../../testing/RtspPackets.ts"
import { TestGround } from "../../testing/TestGround.ts"
import { connectAs } from "../rpc/Harness.ts"
import { dataFolder, fakes, onFakes } from "../support/App.ts"
import { playCamera } from "../support/OnvifCamera.ts"
import { until } from "../support/Ground.ts"

const address = "192.168.1.64"

interface Answer {
  readonly result?: Readonly<Record<string, unknown>>
  readonly error?: { readonly code: number; readonly data: Readonly<Record<string, unknown>> }
}

/** Calls; what is told meanwhile is passed over. */
const ask = (client: Effect.Success<ReturnType<typeof connectAs>>, method: string, params: object = {}) =>
  Effect.gen(function* () {
    client.send({ jsonrpc: "2.0", id: 1, method, params })
    for (;;) {
      const message = (yield* client.next) as Answer & { readonly id?: number }
      if (message.id === 1) return message
    }
  })

/** A client that calls while time passes. */
const clientAs = (role: Role, cameras?: ReadonlyArray<string>) =>
  Effect.map(
    connectAs(role, cameras),
    (client) => (method: string, params?: object) => asTimePasses(ask(client, method, params))
  )
const startCamera = Effect.flatMap(TestGround, ({ rtspCameras }) => rtspCameras.start(address))
type Call = Effect.Success<ReturnType<typeof clientAs>>
const url = `rtsp://${address}/live`

const add = (call: Call, stream_url = url, more: object = {}) =>
  call("add_external_stream", { stream_url, stream_name: "Gate", ...more })

const streamsOf = (call: Call) =>
  Effect.map(
    call("get_external_streams"),
    ({ result }) => result?.["external_streams"] as ReadonlyArray<ExternalStream>
  )

const fileOf = (name: string) =>
  Effect.map(TestGround, ({ disk }) => new TextDecoder().decode(disk.outside.read(`${dataFolder}/${name}`)))

/** Waits until the stream shows this status; that of an idle camera is looked at every minute. */
const becomes = Effect.fnUntraced(function* (call: Call, status: string) {
  for (let second = 0; second < 90; second++) {
    const [stream] = yield* streamsOf(call)
    if (stream?.status === status) return
    yield* Effect.andThen(TestClock.adjust("1 second"), settle)
  }
  return yield* Effect.die(new Error(`it did not become ${status}`))
})

describe("add_external_stream", () => {
  onFakes(
    "makes a camera of a stream, with what it carries, and tells everybody",
    Effect.gen(function* () {
      yield* startCamera
      const client = yield* connectAs("viewer")
      const call = yield* clientAs("operator")
      const { result } = yield* add(call)
      assert.deepInclude(result, {
        stream_url: url,
        stream_name: "Gate",
        stream_type: "generic_rtsp",
        device: "camera0",
        status: "ADDED"
      })
      const told = (yield* client.next) as { method: string; params: object }
      assert.strictEqual(told.method, "camera_status_update")
      assert.include(told.params, { device: "camera0", status: "CONNECTED", name: "Gate", resolution: "640x480" })
      const [stream] = yield* streamsOf(call)
      assert.deepInclude(stream, { url, type: "generic_rtsp", name: "Gate", status: "ONLINE" })
      assert.deepStrictEqual(stream?.capabilities, ["h264", "640x480", "klv"])
      assert.deepInclude((yield* call("get_camera_capabilities", { device: "camera0" })).result, {
        formats: ["H264"],
        resolutions: ["640x480"],
        validation_status: "CONFIRMED"
      })
      const all = (yield* call("get_external_streams")).result
      assert.deepInclude(all, { total_count: 1, skydio_streams: [], generic_streams: [stream], onvif_streams: [] })
    })
  )

  onFakes(
    "tells browsers the transcode's URL where they do not play what the camera sends, as soon as that is known",
    Effect.gen(function* () {
      const call = yield* clientAs("operator")
      yield* add(call)
      const paths = Effect.gen(function* () {
        const { result } = yield* call("get_camera_status", { device: "camera0" })
        const streams = result?.["streams"] as Readonly<Record<string, string>> | undefined
        return ["rtsp", "hls", "webrtc"].map((name) => new URL(streams?.[name] ?? "").pathname)
      })
      assert.deepEqual(yield* paths, ["/camera0", "/camera0/index.m3u8", "/camera0/whep"])
      const camera = yield* startCamera
      const aac = ["m=audio 0 RTP/AVP 97", "a=rtpmap:97 mpeg4-generic/48000/2", "a=control:trackID=2", ""]
      yield* camera.disturb({ sdp: cameraSdp + aac.join("\r\n") })
      yield* becomes(call, "ONLINE")
      // its picture is H.264 that browsers play, and HLS has its sound
      assert.deepEqual(yield* paths, ["/camera0", "/camera0/index.m3u8", "/camera0_h264/whep"])
      const { result } = yield* call("get_stream_status", { device: "camera0" })
      assert.deepInclude(result?.["transcode"], {
        ...{ stream_name: "camera0_h264", status: "INACTIVE", readers: 0 },
        needed: [{ protocol: "webrtc", why: "browsers play no AAC over WebRTC" }]
      })
    })
  )

  onFakes(
    "of B-frames that the camera does not tell of: they are seen as soon as they come, and are known from then on",
    Effect.gen(function* () {
      const call = yield* clientAs("operator")
      const camera = yield* startCamera
      // main profile, which allows them, and no word of them
      yield* camera.disturb({ sdp: cameraSdp.replace(/sets=[^,]+/, "sets=Z01AHvQFAeyA") })
      yield* add(call)
      const webrtc = Effect.map(call("get_camera_status", { device: "camera0" }), ({ result }) => {
        const streams = result?.["streams"] as Readonly<Record<string, string>> | undefined
        return new URL(streams?.["webrtc"] ?? "").pathname
      })
      assert.strictEqual(yield* webrtc, "/camera0/whep")
      yield* camera.disturb({ bFrames: true })
      yield* call("start_streaming", { device: "camera0" })
      yield* TestClock.adjust("1 second")
      assert.strictEqual(yield* webrtc, "/camera0_h264/whep")
      const { result } = yield* call("get_stream_status", { device: "camera0" })
      assert.deepInclude(result?.["transcode"], {
        needed: [{ protocol: "webrtc", why: "WebRTC has no B-frames" }]
      })
      assert.deepInclude(result?.["codec"], { profile: "main", conformant: false })
      assert.include(yield* fileOf("external_streams.json"), '"hasBFrames": true')
      // it is asked again while it is idle, and says nothing of them again
      yield* (yield* Streams).release("camera0")
      yield* TestClock.adjust("3 minutes")
      assert.strictEqual(yield* webrtc, "/camera0_h264/whep")
    })
  )

  onFakes(
    "takes a camera that is off: it has a fault, and is a camera as soon as it answers",
    Effect.gen(function* () {
      const call = yield* clientAs("operator")
      assert.include((yield* add(call)).result, { device: "camera0", status: "ADDED" })
      const status = (yield* call("get_camera_status", { device: "camera0" })).result
      assert.include(status, { status: "ERROR" })
      assert.deepInclude(status?.["fault"], { kind: "UNREACHABLE", detail: "nobody listens at its port" })
      assert.strictEqual((yield* streamsOf(call))[0]?.status, "OFFLINE")
      const camera = yield* startCamera
      yield* becomes(call, "ONLINE")
      assert.include((yield* call("get_camera_status", { device: "camera0" })).result, {
        status: "CONNECTED",
        resolution: "640x480"
      })
      // and the other way round
      yield* camera.disturb({ isSilent: true })
      yield* becomes(call, "OFFLINE")
      yield* camera.disturb({ isSilent: false, refuses: { DESCRIBE: "404 Not Found" } })
      yield* becomes(call, "ERROR")
    })
  )

  onFakes(
    "adds nothing that waiting does not mend: the password is wrong, there is no video, it is no RTSP",
    Effect.gen(function* () {
      const call = yield* clientAs("operator")
      const camera = yield* startCamera
      yield* camera.disturb({ login: { user: "admin", password: "right", way: "MD5" } })
      for (const wrong of [url, `rtsp://admin:wrong@${address}/live`]) {
        const { error } = yield* add(call, wrong)
        assert.strictEqual(error?.code, -32050)
        assert.include(error?.data, { dependency: "camera", reason: "AUTH_FAILED" })
      }
      yield* camera.disturb({ login: undefined, sdp: "v=0\r\nm=audio 0 RTP/AVP 0\r\n" })
      assert.include((yield* add(call)).error?.data, { reason: "NO_VIDEO" })
      assert.deepStrictEqual(yield* streamsOf(call), [])
      assert.include((yield* call("get_camera_list")).result, { total: 0 })
      yield* camera.disturb({ login: { user: "admin", password: "right", way: "SHA-256" }, sdp: undefined })
      assert.include((yield* add(call, `rtsp://admin:right@${address}/live`)).result, { stream_url: url })
    })
  )

  onFakes(
    "says which rule a URL breaks, and goes nowhere for it",
    Effect.gen(function* () {
      const call = yield* clientAs("operator")
      const { names, peers } = yield* TestGround
      names.own.add("192.168.7.7")
      yield* names.set("inside.example", ["192.168.1.64", "127.0.0.1"])
      const refused: ReadonlyArray<readonly [stream_url: string, more?: object]> = [
        ["rtsp://127.0.0.1/live"],
        ["rtsp://0x7f000001/live"],
        ["rtsp://[::ffff:127.0.0.1]/live"],
        ["rtsp://[64:ff9b::a9fe:a9fe]/live"],
        ["rtsp://169.254.169.254/latest"],
        ["rtsp://192.168.7.7/live"],
        ["rtsp://inside.example/live"],
        ["rtsp://admin:geheim@239.1.1.1/live"],
        ["rtsp://cam:0/live"],
        ["rtsp://192.168.1.64/live#1"],
        ["https://192.168.1.64/live", { stream_type: "generic_rtsp" }]
      ]
      for (const [stream_url, more] of refused) {
        const { error } = yield* add(call, stream_url, more)
        assert.strictEqual(error?.code, -32602, stream_url)
        assert.include(error?.data, { param: "stream_url" })
        assert.notInclude(JSON.stringify(error), "geheim")
      }
      assert.deepStrictEqual(peers.dialled(), [])
      assert.deepStrictEqual(yield* streamsOf(call), [])
    })
  )

  onFakes(
    "refuses what is added already, however it is written, and knows nothing of what was not",
    Effect.gen(function* () {
      const call = yield* clientAs("operator")
      yield* add(call)
      const { error } = yield* add(call, "rtsp://admin:secret@0xc0a80140:554/live")
      assert.strictEqual(error?.code, -32020)
      assert.deepInclude(error?.data, { state: "ADDED", details: "it is camera0" })
      const unknown = yield* call("remove_external_stream", { stream_url: "rtsp://admin:secret@192.168.1.65/live" })
      assert.strictEqual(unknown.error?.code, -32010)
      assert.deepInclude(unknown.error?.data, { resource: "stream", id: "rtsp://192.168.1.65/live" })
    })
  )

  onFakes(
    "of two who add one stream at once, one has it",
    Effect.gen(function* () {
      yield* startCamera
      const [one, other] = [yield* connectAs("operator"), yield* connectAs("operator")]
      const params = { stream_url: url, stream_name: "Gate" }
      const both = [one, other].map((client) => ask(client, "add_external_stream", params))
      const answers = yield* asTimePasses(Effect.all(both, { concurrency: 2 }))
      assert.sameMembers(
        answers.map(({ error, result }) => error?.code ?? result?.["status"]),
        ["ADDED", -32020]
      )
    })
  )

  onFakes(
    "goes to where a name leads at that moment, and never where cameras may not be",
    Effect.gen(function* () {
      const { names, peers, rtspCameras } = yield* TestGround
      yield* startCamera
      yield* rtspCameras.start("127.0.0.1")
      yield* names.set("gate.example", [address])
      const call = yield* clientAs("operator")
      assert.include((yield* add(call, "rtsp://gate.example/live")).result, { device: "camera0" })
      yield* names.set("gate.example", ["127.0.0.1"])
      yield* becomes(call, "OFFLINE")
      const { result } = yield* call("get_camera_status", { device: "camera0" })
      assert.match(JSON.stringify(result?.["fault"]), /loopback/)
      assert.deepStrictEqual(peers.dialled(), [`${address}:554`])
    })
  )
})

describe("a camera that is reached over TLS", () => {
  const [first, second] = ["ab".repeat(32), "cd".repeat(32)]

  /** Adds it, has its certificate change, and has it added again; `url` with a user and a password. */
  const changes = Effect.fnUntraced(function* (
    url: string,
    certificates: Map<string, string>,
    door: string,
    of: "stream" | "device"
  ) {
    const call = yield* clientAs("operator")
    certificates.set(door, first)
    assert.include((yield* add(call, url)).result, { device: "camera0" })
    const known = { certificates: [{ of, sha256: first }] }
    assert.deepInclude((yield* streamsOf(call))[0], { ...known, status: "ONLINE" })
    assert.notInclude(JSON.stringify(yield* streamsOf(yield* clientAs("viewer"))), first)

    certificates.set(door, second)
    yield* becomes(call, "ERROR")
    assert.deepInclude((yield* streamsOf(call))[0], { ...known, certificate_changed: true })
    assert.notInclude(JSON.stringify(yield* streamsOf(yield* clientAs("viewer"))), "certificate")
    const { fault } = (yield* call("get_camera_status", { device: "camera0" })).result as {
      readonly fault: { readonly kind: string; readonly detail: string; readonly suggestion: string }
    }
    assert.strictEqual(fault.kind, "CERTIFICATE_CHANGED")
    assert.include(fault.detail, second)
    assert.include(fault.suggestion, "remove the stream and add it again")

    yield* call("remove_external_stream", { stream_url: url })
    assert.include((yield* add(call, url)).result, { device: "camera0" })
    assert.deepInclude((yield* streamsOf(call))[0], { status: "ONLINE", certificates: [{ of, sha256: second }] })
    return call
  })

  onFakes(
    "is known by the certificate that it had first, which operators see, until it is added again",
    Effect.gen(function* () {
      const { peers, rtspCameras } = yield* TestGround
      const camera = yield* rtspCameras.start(address, 322)
      yield* camera.disturb({ login: { user: "admin", password: "word", way: "MD5" } })
      yield* changes(`rtsps://admin:word@${address}/live`, peers.certificates, `${address}:322`, "stream")
      assert.strictEqual(camera.rejections(), 0)
    })
  )

  onFakes(
    "by its device service (ONVIF over https), too: who shows another certificate there is asked nothing",
    Effect.gen(function* () {
      const { neighbours, rtspCameras } = yield* TestGround
      const { answer, seen } = playCamera({ user: { name: "admin", password: "word" }, isSecure: true })
      yield* neighbours.serve(address, 443, answer)
      const rtsp = yield* rtspCameras.start(address, 554)
      yield* rtsp.disturb({ login: { user: "admin", password: "word", way: "MD5" } })
      const { certificates } = neighbours
      const before = () => seen.requests.length
      const url = `https://admin:word@${address}/onvif/device_service`
      const call = yield* changes(url, certificates, `${address}:443`, "device")
      const asked = before()
      certificates.set(`${address}:443`, first)
      yield* becomes(call, "ERROR")
      assert.strictEqual(before(), asked)
    })
  )

  fakes.starts("is known by it after a restart", (run) => {
    const url = `https://admin:word@${address}/onvif/device_service`
    const camera = (certificate: string) =>
      Effect.gen(function* () {
        const { neighbours, rtspCameras } = yield* TestGround
        yield* neighbours.serve(address, 443, playCamera({ isSecure: true }).answer)
        neighbours.certificates.set(`${address}:443`, certificate)
        yield* rtspCameras.start(address, 554)
        return yield* clientAs("operator")
      })
    const before = Effect.flatMap(camera(first), (call) => add(call, url))
    const after = Effect.flatMap(camera(second), (call) => becomes(call, "ERROR"))
    return Effect.andThen(run(dataFolder, before), run(dataFolder, after))
  })
})

describe("a camera whose password was changed", () => {
  onFakes(
    "refuses the old one twice in five minutes at most, whoever needs it and by whatever way, and has the new one at once",
    Effect.gen(function* () {
      const { neighbours, rtspCameras } = yield* TestGround
      const rtsp = yield* rtspCameras.start(address, 554)
      const onvif = { host: address, user: { name: "admin", password: "old" } }
      const before = playCamera(onvif)
      yield* neighbours.serve(address, 80, before.answer)
      yield* rtsp.disturb({ login: { user: "admin", password: "old", way: "MD5" } })
      const call = yield* clientAs("operator")
      const device = (password: string) => `http://admin:${password}@${address}/onvif/device_service`
      const stream = (password: string) => `rtsp://admin:${password}@${address}/live`
      assert.include((yield* add(call, device("old"))).result, { device: "camera0" })
      assert.include((yield* add(call, stream("old"))).result, { device: "camera1" })
      assert.strictEqual(rtsp.rejections(), 0)

      const after = playCamera({ ...onvif, user: { name: "admin", password: "new" } })
      yield* neighbours.serve(address, 80, after.answer)
      yield* rtsp.disturb({ login: { user: "admin", password: "new", way: "MD5" }, nonces: "changed" })
      const refusals = () => rtsp.rejections() + after.seen.refusals
      for (let minute = 0; minute < 5; minute++) {
        for (const camera of ["camera0", "camera1"]) yield* call("start_streaming", { device: camera })
        yield* add(call, `rtsp://admin:old@${address}/other`)
        yield* add(call, `http://admin:old@${address}/onvif/other`)
        yield* Effect.repeat(Effect.andThen(TestClock.adjust("1 second"), settle), { times: 50 })
      }
      assert.isAtLeast(refusals(), 1)
      assert.isAtMost(refusals(), 2)
      const { error } = yield* add(call, `rtsp://admin:old@${address}/other`)
      assert.include(error?.data, { reason: "AUTH_FAILED" })

      yield* rtsp.disturb({ nonces: "kept" })
      for (const [url, camera] of [
        [device("new"), "camera0"],
        [stream("new"), "camera1"]
      ] as const) {
        yield* call("remove_external_stream", { stream_url: url })
        assert.include((yield* add(call, url)).result, { device: camera })
      }
      assert.isAtMost(refusals(), 2)
    })
  )
})

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
})
