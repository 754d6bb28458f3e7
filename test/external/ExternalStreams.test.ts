import { assert, describe } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { TestClock } from "effect/testing"
import { Streams } from "../../src/stream/Streams.ts"
import { asTimePasses } from "../../testing/PassingTime.ts"
import { cameraSdp } from "../../testing/RtspPackets.ts"
import { TestGround } from "../../testing/TestGround.ts"
import { connectAs } from "../rpc/Harness.ts"
import { dataFolder, fakes, onFakes } from "../support/App.ts"
import { listening } from "../support/Log.ts"
import { playCamera } from "../support/OnvifCamera.ts"
import { add, address, ask, becomes, clientAs, fileOf, startCamera, streamsOf, url } from "./ExternalBench.ts"

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
      // the camera was never there, for all that is known
      assert.include((yield* call("get_camera_list")).result, { total: 1, connected: 0 })
      assert.deepInclude((yield* streamsOf(call))[0], { status: "OFFLINE", last_seen: "" })
      yield* TestClock.adjust("10 seconds")
      assert.strictEqual((yield* streamsOf(call))[0]?.last_seen, "")
      const camera = yield* startCamera
      yield* becomes(call, "ONLINE")
      assert.isAbove(Date.parse((yield* streamsOf(call))[0]?.last_seen ?? ""), 10_000)
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

  fakes.starts(
    "logs that a camera is connected when it was reached, and not before, after a restart neither",
    (run) => {
      const { layer, lines } = listening()
      const told = () => lines.flatMap(({ message }) => (message.startsWith("camera connected") ? [message] : []))
      const before = Effect.gen(function* () {
        const call = yield* clientAs("operator")
        yield* add(call)
        assert.deepEqual(told(), [])
      })
      const after = Effect.gen(function* () {
        const call = yield* clientAs("operator")
        yield* becomes(call, "OFFLINE")
        yield* TestClock.adjust("5 seconds")
        assert.deepEqual(told(), [])
        yield* startCamera
        yield* becomes(call, "ONLINE")
        yield* TestClock.adjust("3 minutes")
        assert.deepEqual(told(), ["camera connected"])
      })
      return run(dataFolder, before).pipe(Effect.andThen(run(dataFolder, after)), Effect.provide(layer))
    }
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
      const { error } = yield* add(call, "rtsp://0xc0a80140:554/live")
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
