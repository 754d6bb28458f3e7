import { assert, describe } from "@effect/vitest"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as Scope from "effect/Scope"
import * as TestClock from "effect/testing/TestClock"
import { Devices } from "../../src/device/Devices.ts"
import { MediaMtxApi } from "../../src/process/MediaMtxApi.ts"
import { Paths } from "../../src/stream/Paths.ts"
import type { RunEnd } from "../../src/stream/RunEnded.ts"
import { Status } from "../../src/stream/Status.ts"
import { Streams } from "../../src/stream/Streams.ts"
import { Viewers } from "../../src/stream/Viewers.ts"
import { cameraSdp } from "../../testing/RtspPackets.ts"
import type { RtspFaults } from "../../testing/RtspFaults.ts"
import { asTimePasses } from "../../testing/PassingTime.ts"
import { TestGround } from "../../testing/TestGround.ts"
import { connectAs } from "../rpc/Harness.ts"
import { take } from "../suites/snapshots.ts"
import { codecOf, readyStream, stateOf, untilReady } from "../suites/streams.ts"
import { onFakes } from "../support/App.ts"
import { children, running, until } from "../support/Ground.ts"
import { attachCamera, login, target, url, withLogin } from "../support/NetworkCamera.ts"

const startCamera = Effect.flatMap(TestGround, ({ rtspCameras }) => rtspCameras.start(target.address))

/** How long a camera with this fault keeps who waits for it, and what they are told. */
const failureWith = Effect.fnUntraced(function* (faults: Partial<RtspFaults>, at = target) {
  const streams = yield* Streams
  const devices = yield* Devices
  const camera = yield* startCamera
  yield* camera.disturb(faults)
  const { id } = yield* attachCamera(at)
  const stream = yield* streams.lease(id, "viewer")
  const began = yield* Clock.currentTimeMillis
  const waiting = yield* Effect.forkChild(Effect.flip(streams.awaitReady(stream)))
  const fault = yield* until(
    "the fault is told",
    Effect.map(Effect.orDie(devices.get(id)), (device) => device.fault)
  )
  const millis = (yield* Clock.currentTimeMillis) - began
  const told = yield* Fiber.join(waiting)
  return { camera, id, stream, kind: fault.kind, detail: fault.detail, millis, told }
})

describe("a camera that streams by itself", () => {
  onFakes(
    "has its stream on its path, its codec told, and no FFmpeg",
    Effect.gen(function* () {
      const camera = yield* startCamera
      const { id } = yield* attachCamera()
      const stream = yield* readyStream(id)
      yield* until(
        "its codec is known",
        Effect.sync(() => codecOf(stream))
      )
      assert.deepEqual(codecOf(stream), {
        profile: "constrained baseline",
        level: "3.0",
        width: 640,
        height: 480,
        conformant: true
      })
      const path = yield* (yield* MediaMtxApi).getPath(id)
      assert.isTrue(Option.getOrThrow(path).ready)
      assert.lengthOf(yield* children("publish"), 0)
      yield* TestClock.adjust("4 seconds")
      const { run, state } = yield* (yield* Status).of(id)
      assert.strictEqual(state, "ACTIVE")
      assert.isUndefined(run?.pid)
      assert.strictEqual(run?.making.encoder.name, "copy")
      assert.approximately(run?.published.fps ?? 0, 10, 0.5)
      assert.isAbove(run?.published.frames ?? 0, 30)
      assert.deepEqual(camera.requests().slice(0, 2), [`OPTIONS ${url}`, `DESCRIBE ${url}`])
      assert.include(camera.requests(), `SETUP ${url}/trackID=0`)
      assert.include(camera.requests(), `SETUP ${url}/trackID=1`)
    })
  )

  onFakes(
    "is asked for one session, whoever needs it, and is told when nobody does",
    Effect.gen(function* () {
      const streams = yield* Streams
      const camera = yield* startCamera
      const { id } = yield* attachCamera()
      const life = yield* Scope.make()
      const stream = yield* Scope.provide(streams.lease(id, "recording"), life)
      yield* untilReady(stream)
      assert.strictEqual(yield* Scope.provide(streams.lease(id, "recording"), life), stream)
      yield* take({ camera: id, maxAge: 5000 })
      const viewers = Array.from({ length: 20 }, () => streams.lease(id, "viewer"))
      yield* Effect.scoped(Effect.all(viewers, { concurrency: "unbounded" }))
      assert.strictEqual(camera.mostAtOnce(), 1)
      yield* Scope.close(life, Exit.void)
      yield* streams.release(id)
      yield* until(
        "the session is over",
        Effect.sync(() => camera.playing() === 0)
      )
      assert.include(camera.requests(), `TEARDOWN ${url}/`)
    })
  )

  onFakes(
    "is kept alive at half of its session's time",
    Effect.gen(function* () {
      const camera = yield* startCamera
      const stream = yield* readyStream((yield* attachCamera()).id)
      yield* TestClock.adjust("95 seconds")
      assert.lengthOf(
        camera.requests().filter((request) => request === `GET_PARAMETER ${url}/`),
        3
      )
      assert.strictEqual(stateOf(stream)._tag, "Ready")
    })
  )

  onFakes(
    "is told every five seconds or so how its packets arrive, and goes on where it would end without",
    Effect.gen(function* () {
      const camera = yield* startCamera
      yield* camera.disturb({ wantsReports: true })
      const stream = yield* readyStream((yield* attachCamera()).id)
      yield* TestClock.adjust("60 seconds")
      assert.strictEqual(stateOf(stream)._tag, "Ready")
      assert.strictEqual(stream.restarts, 0)
      assert.isAtLeast(camera.reports().length, 7)
      assert.isAtMost(camera.reports().length, 25)
      const report = Buffer.from(camera.reports().at(-1) ?? [])
      // a receiver report of one source, whose sequence numbers are those of its pictures
      assert.deepEqual([report[0], report[1], report.readUInt32BE(8)], [0x81, 201, 0x1234])
      assert.deepEqual([report[12], report.readIntBE(13, 3)], [0, 0])
      assert.isAbove(report.readUInt32BE(16), 400)
      assert.isAtMost(report.readUInt32BE(16), 610)
      assert.notStrictEqual(report.readUInt32BE(24), 0)
    })
  )

  onFakes(
    "streams on where what it sends as RTCP is none",
    Effect.gen(function* () {
      const camera = yield* startCamera
      yield* camera.disturb({ wrongReports: true, wantsReports: true })
      const stream = yield* readyStream((yield* attachCamera()).id)
      yield* TestClock.adjust("20 seconds")
      assert.strictEqual(stateOf(stream)._tag, "Ready")
      assert.strictEqual(stream.restarts, 0)
      assert.strictEqual(camera.playing(), 1)
    })
  )

  for (const way of ["MD5", "MD5-sess", "SHA-256"] as const) {
    for (const nonces of ["kept", "stale"] as const) {
      onFakes(
        `that wants ${way} streams${nonces === "kept" ? "" : ", and may want another nonce for each request"}`,
        Effect.gen(function* () {
          const camera = yield* startCamera
          yield* camera.disturb({ login: { ...login, way }, nonces })
          yield* readyStream((yield* attachCamera(yield* withLogin)).id)
          assert.strictEqual(camera.rejections(), 0)
        })
      )
    }
  }

  onFakes(
    "whose password is wrong is asked twice at most, then not for minutes, and its picture is no secret's end",
    Effect.gen(function* () {
      const { camera, id, kind, told } = yield* failureWith(
        { login: { ...login, password: "another", way: "MD5" }, nonces: "changed" },
        yield* withLogin
      )
      assert.strictEqual(kind, "AUTH_FAILED")
      assert.strictEqual(told._tag === "DependencyFailed" && told.dependency, "camera")
      yield* TestClock.adjust("4 minutes")
      assert.isAtMost(camera.rejections(), 2)
      yield* camera.disturb({ login: undefined })
      yield* TestClock.adjust("2 minutes")
      const { status } = yield* (yield* Devices).get(id)
      assert.strictEqual(status, "CONNECTED")
    })
  )

  onFakes(
    "whose password is wrong is asked twice at most, however often it is wanted, and anew after 5 min or once it works",
    Effect.gen(function* () {
      const streams = yield* Streams
      const devices = yield* Devices
      const camera = yield* startCamera
      yield* camera.disturb({ login: { ...login, password: "another", way: "MD5" }, nonces: "changed" })
      const { id } = yield* attachCamera(yield* withLogin)
      const client = yield* connectAs("operator")
      const call = Effect.fnUntraced(function* (method: string) {
        client.send({ jsonrpc: "2.0", id: 1, method, params: { device: id } })
        // clients are told of the camera's fault, too
        const reply = Effect.repeat(client.next, { until: (message) => "id" in (message as object) })
        return (yield* asTimePasses(reply)) as { readonly error?: { readonly data: Readonly<Record<string, unknown>> } }
      })
      const fails = Effect.fnUntraced(function* (method: string) {
        const began = yield* Clock.currentTimeMillis
        const { error } = yield* call(method)
        assert.strictEqual(error?.data["dependency"], "camera")
        if (method === "start_streaming") {
          assert.strictEqual(error?.data["detail"], "it does not take the user and the password")
        }
        assert.isBelow((yield* Clock.currentTimeMillis) - began, 1000)
        yield* streams.release(id)
        yield* until(
          "its stream is over",
          Effect.sync(() => streams.current(id) === undefined)
        )
      })
      for (const method of ["start_streaming", "start_streaming", "take_snapshot", "start_streaming"]) {
        yield* fails(method)
      }
      const first = camera.rejections()
      assert.isAtLeast(first, 1)
      assert.isAtMost(first, 2)
      yield* TestClock.adjust("5 minutes")
      yield* fails("start_streaming")
      assert.isAbove(camera.rejections(), first)
      assert.isAtMost(camera.rejections(), 2 * first)
      yield* camera.disturb({ login: undefined })
      yield* devices.recovered(id)
      assert.isUndefined((yield* call("start_streaming")).error)
    })
  )

  onFakes(
    "that offers Basic alone gets no password in clear",
    Effect.gen(function* () {
      const { camera, detail, kind } = yield* failureWith({ login: { ...login, way: "Basic" } }, yield* withLogin)
      assert.strictEqual(kind, "AUTH_FAILED")
      assert.strictEqual(detail, "it wants a password and offers no way to log in that may be used")
      assert.strictEqual(camera.rejections(), 0)
    })
  )

  onFakes(
    "that wants a login and has none configured says so",
    Effect.gen(function* () {
      const { detail, kind } = yield* failureWith({ login: { ...login, way: "MD5" } })
      assert.deepEqual([kind, detail], ["AUTH_FAILED", "it wants a user and a password"])
    })
  )

  for (const [fault, kind] of [
    [{ refuses: { DESCRIBE: "404 Not Found" } }, "NOT_FOUND"],
    [{ refuses: { DESCRIBE: "301 Moved Permanently" } }, "REDIRECTED"],
    [{ refuses: { SETUP: "453 Not Enough Bandwidth" } }, "SESSION_LIMIT"],
    [{ refuses: { SETUP: "461 Unsupported Transport" } }, "PROTOCOL"],
    [{ sdp: "v=0\r\nm=audio 0 RTP/AVP 0\r\n" }, "NO_VIDEO"],
    [{ diesInMidFrame: true }, "UNREACHABLE"]
  ] as const) {
    onFakes(
      `is told as ${kind} within a second where its fault is ${JSON.stringify(fault)}`,
      Effect.gen(function* () {
        const failure = yield* failureWith(fault)
        assert.strictEqual(failure.kind, kind)
        assert.isAtMost(failure.millis, 1000)
        assert.strictEqual(failure.told._tag, "DependencyFailed")
        assert.notInclude(JSON.stringify(failure), "secret")
      })
    )
  }

  for (const [fault, what] of [
    [{ isSilent: true }, "no answer to OPTIONS within 3 s"],
    [{ neverPlays: true }, "no video for 3 s"]
  ] as const) {
    onFakes(
      `is STALLED after 3 s where it ${JSON.stringify(fault)}`,
      Effect.gen(function* () {
        const { detail, kind, millis } = yield* failureWith(fault)
        assert.deepEqual([kind, detail], ["STALLED", what])
        assert.isAtMost(millis, 3500)
      })
    )
  }

  onFakes(
    "is told as UNREACHABLE within a second where nobody answers, or nobody listens",
    Effect.gen(function* () {
      const { peers } = yield* TestGround
      const streams = yield* Streams
      const nobody = yield* attachCamera()
      yield* Effect.flip(streams.awaitReady(yield* streams.lease(nobody.id, "viewer")))
      yield* peers.silence("192.168.42.11")
      const silent = yield* attachCamera({ ...target, address: "192.168.42.11", url: `${url}2` })
      yield* (yield* Paths).awaitPath(silent.id)
      const stream = yield* streams.lease(silent.id, "viewer")
      yield* Effect.forkChild(streams.awaitReady(stream))
      yield* TestClock.adjust("1 second")
      const devices = yield* Devices
      for (const { id } of [nobody, silent]) {
        assert.strictEqual((yield* devices.get(id)).fault?.kind, "UNREACHABLE")
      }
    })
  )

  onFakes(
    "whose server is back before its stream is back within 2 s of that",
    Effect.gen(function* () {
      const camera = yield* startCamera
      const stream = yield* readyStream((yield* attachCamera()).id)
      yield* TestClock.adjust("20 seconds")
      yield* camera.disturb({ refuses: { DESCRIBE: "404 Not Found" }, diesInMidFrame: true })
      yield* TestClock.adjust("1500 millis")
      assert.strictEqual(stateOf(stream)._tag, "Failing")
      yield* camera.disturb({ refuses: {}, diesInMidFrame: false })
      yield* TestClock.adjust("2 seconds")
      assert.strictEqual(stateOf(stream)._tag, "Ready")
    })
  )

  onFakes(
    "that is away is tried less and less often, every 30 s at last, and never in step with others",
    Effect.gen(function* () {
      const streams = yield* Streams
      const ends: Array<number> = []
      yield* streams.facts.follow((fact) =>
        Effect.sync(() => {
          if (fact._tag === "StreamChanged" && fact.ended !== undefined) ends.push(fact.at.monotonic)
        })
      )
      yield* streams.lease((yield* attachCamera()).id, "recording")
      yield* TestClock.adjust("10 minutes")
      const pauses = ends.slice(1).map((end, i) => Math.round((end - (ends[i] ?? 0)) / 100))
      assert.isBelow(pauses[0] ?? 100, 10)
      assert.isAtMost(Math.max(...pauses), 331)
      assert.isTrue(
        pauses.slice(-10).every((pause) => pause >= 269),
        pauses.join()
      )
      assert.isAbove(new Set(pauses.slice(-10)).size, 5)
    })
  )

  onFakes(
    "that stops to send is STALLED after 3 s, and back within 2 s of sending again",
    Effect.gen(function* () {
      const devices = yield* Devices
      const camera = yield* startCamera
      const { id } = yield* attachCamera()
      const stream = yield* readyStream(id)
      yield* camera.disturb({ isStalled: true })
      yield* TestClock.adjust("3500 millis")
      assert.strictEqual((yield* devices.get(id)).fault?.kind, "STALLED")
      yield* camera.disturb({ isStalled: false })
      yield* TestClock.adjust("2 seconds")
      assert.strictEqual(stateOf(stream)._tag, "Ready")
      assert.strictEqual((yield* devices.get(id)).status, "CONNECTED")
    })
  )

  for (const [what, begin, end, detail] of [
    [
      "asks on and on and reads no answer",
      { isDeaf: true },
      { isDeaf: false },
      "it asks and does not read the answers"
    ],
    ["asks a thousand times at once", { asksOften: true }, { asksOften: false }, "it asks too often"],
    ["sends metadata without end", { endlessKlv: true }, { endlessKlv: false }, "its metadata has no end"]
  ] as const) {
    onFakes(
      `that ${what} is given up`,
      Effect.gen(function* () {
        const devices = yield* Devices
        const camera = yield* startCamera
        const { id } = yield* attachCamera()
        yield* readyStream(id)
        yield* camera.disturb(begin)
        const fault = yield* until(
          "the fault is told",
          Effect.map(Effect.orDie(devices.get(id)), (device) => device.fault)
        )
        assert.deepInclude(fault, { kind: "PROTOCOL", detail })
        yield* camera.disturb(end)
        yield* until(
          "the session is over",
          Effect.sync(() => camera.playing() === 0)
        )
      })
    )
  }

  onFakes(
    "that has metadata more than once is asked for it once",
    Effect.gen(function* () {
      const camera = yield* startCamera
      const more = ["m=audio 0 RTP/AVP 99", "a=rtpmap:99 SMPTE336M/90000", "a=control:trackID=2", ""]
      yield* camera.disturb({ sdp: [cameraSdp, ...more].join("\r\n").replaceAll("\r\n\r\n", "\r\n") })
      yield* readyStream((yield* attachCamera()).id)
      const setUp = camera.requests().filter((request) => request.startsWith("SETUP"))
      assert.deepEqual(setUp, [`SETUP ${url}/trackID=0`, `SETUP ${url}/trackID=1`])
    })
  )

  onFakes(
    "sends on to a MediaMTX that does not take it, until there is too much of it, which is not the camera's fault",
    Effect.gen(function* () {
      const { mediaMtx } = yield* TestGround
      const camera = yield* startCamera
      const { id } = yield* attachCamera()
      const stream = yield* readyStream(id)
      const ends: Array<RunEnd | undefined> = []
      yield* (yield* Streams).facts.follow((fact) =>
        Effect.sync(() => {
          if (fact._tag === "StreamChanged") ends.push(fact.ended)
        })
      )
      yield* mediaMtx.disturb({ isDeaf: true })
      yield* camera.disturb({ ballast: 50 })
      yield* until(
        "the run has ended",
        Effect.sync(() => stateOf(stream)._tag === "Failing")
      )
      assert.deepEqual(stateOf(stream), {
        _tag: "Failing",
        reason: "MediaMTX does not take what the camera sends"
      })
      assert.deepEqual(ends, ["MEDIAMTX"])
      assert.isUndefined((yield* (yield* Devices).get(id)).fault)
      yield* camera.disturb({ ballast: 0 })
      yield* mediaMtx.disturb({ isDeaf: false })
      yield* untilReady(stream)
    })
  )

  onFakes(
    "shows its last keyframe as a snapshot, with the time at which it came",
    Effect.gen(function* () {
      yield* startCamera
      const { id } = yield* attachCamera()
      yield* readyStream(id)
      const first = yield* take({ camera: id, maxAge: 5000 })
      assert.deepEqual([first.capture.name, first.picture.width], ["live", 64])
      const second = yield* take({ camera: id, maxAge: 0 })
      assert.isAbove(second.picture.captured.monotonic, first.picture.captured.monotonic)
      assert.strictEqual(second.picture.keyframeInterval, 1000)
      // two pictures, and who stands by for the next, for 30 s
      assert.lengthOf(yield* children("convert"), 3)
      assert.lengthOf(yield* running("convert"), 1)
      yield* TestClock.adjust("31 seconds")
      assert.lengthOf(yield* running("convert"), 0)
    })
  )

  onFakes(
    "makes one picture of a keyframe, whoever wants it at once",
    Effect.gen(function* () {
      yield* startCamera
      const { id } = yield* attachCamera()
      yield* readyStream(id)
      const all = Array.from({ length: 10 }, () => take({ camera: id, maxAge: 5000 }))
      const snapshots = yield* Effect.all(all, { concurrency: "unbounded" })
      assert.lengthOf([...new Set(snapshots.map(({ picture }) => picture.jpeg))], 1)
      // and who stands by
      assert.lengthOf(yield* children("convert"), 2)
    })
  )

  onFakes(
    "is woken for a snapshot while it is idle, and tells its keyframe interval once that has been seen",
    Effect.gen(function* () {
      const streams = yield* Streams
      yield* startCamera
      const { id } = yield* attachCamera()
      const snapshot = yield* take({ camera: id })
      assert.strictEqual(snapshot.capture.name, "activated")
      assert.isUndefined(snapshot.picture.keyframeInterval)
      yield* TestClock.adjust("2 seconds")
      yield* streams.release(id)
      yield* until(
        "it is idle",
        Effect.sync(() => streams.current(id) === undefined)
      )
      const again = yield* take({ camera: id })
      assert.strictEqual(again.capture.name, "activated")
      assert.strictEqual(again.picture.keyframeInterval, 1000)
    })
  )

  onFakes(
    "that fails keeps no viewer waiting at MediaMTX: not those who wait then, nor who comes later",
    Effect.gen(function* () {
      const { mediaMtx } = yield* TestGround
      const viewers = yield* Viewers
      const camera = yield* startCamera
      yield* camera.disturb({ refuses: { DESCRIBE: "404 Not Found" } })
      const { id } = yield* attachCamera()
      const dismissals = () => mediaMtx.calls().filter((call) => call === `replace ${id}`).length
      yield* viewers.admit(id)
      yield* until(
        "they are sent away",
        Effect.sync(() => dismissals() === 1)
      )
      yield* viewers.admit(id)
      yield* TestClock.adjust("200 millis")
      assert.strictEqual(dismissals(), 2)
      yield* camera.disturb({ refuses: {} })
      yield* TestClock.adjust("20 seconds")
      assert.isTrue(Option.getOrThrow(yield* (yield* MediaMtxApi).getPath(id)).ready)
    })
  )

  onFakes(
    "whose password was refused a moment ago keeps nobody waiting: who comes is sent away once MediaMTX holds them",
    Effect.gen(function* () {
      const { mediaMtx } = yield* TestGround
      const streams = yield* Streams
      const camera = yield* startCamera
      yield* camera.disturb({ login: { ...login, password: "another", way: "MD5" } })
      const { id } = yield* attachCamera(yield* withLogin)
      yield* Effect.scoped(
        Effect.gen(function* () {
          const stream = yield* streams.lease(id, "recording")
          yield* until(
            "it is refused",
            Effect.sync(() => stateOf(stream)._tag === "Failing")
          )
        })
      )
      const began = yield* Clock.currentTimeMillis
      yield* (yield* Viewers).admit(id)
      yield* until(
        "they are sent away",
        Effect.sync(() => mediaMtx.calls().includes(`replace ${id}`))
      )
      const millis = (yield* Clock.currentTimeMillis) - began
      assert.isAtLeast(millis, 100)
      assert.isAtMost(millis, 200)
    })
  )

  onFakes(
    "and recovers keeps its run, also where MediaMTX failed to send away who waited before",
    Effect.gen(function* () {
      const { mediaMtx } = yield* TestGround
      const camera = yield* startCamera
      yield* camera.disturb({ refuses: { DESCRIBE: "404 Not Found" } })
      const { id } = yield* attachCamera()
      const dismissals = () => mediaMtx.calls().filter((call) => call === `replace ${id}`).length
      const paths = yield* Paths
      yield* until(
        "the path",
        Effect.sync(() => paths.exists(id))
      )
      yield* mediaMtx.disturb({ refusals: 1 })
      yield* (yield* Viewers).admit(id)
      yield* until(
        "they were to be sent away",
        Effect.sync(() => dismissals() === 1)
      )
      yield* camera.disturb({ refuses: {} })
      const stream = yield* readyStream(id)
      const { run } = stream
      yield* TestClock.adjust("30 seconds")
      assert.isDefined(run)
      assert.strictEqual(stream.run, run)
      assert.strictEqual(stream.restarts, 1)
    })
  )

  onFakes(
    "streams without a Content-Base too",
    Effect.gen(function* () {
      const camera = yield* startCamera
      yield* camera.disturb({ noContentBase: true })
      yield* readyStream((yield* attachCamera()).id)
      assert.include(camera.requests(), `SETUP ${url}/trackID=0`)
    })
  )
})
