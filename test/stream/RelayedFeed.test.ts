import { assert, describe } from "@effect/vitest"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
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
import { asTimePasses, settle } from "../../testing/PassingTime.ts"
import { TestGround } from "../../testing/TestGround.ts"
import { connectAs } from "../rpc/Harness.ts"
import { take } from "../suites/snapshots.ts"
import { codecOf, readyStream, stateOf, untilReady } from "../suites/streams.ts"
import { onFakes } from "../support/App.ts"
import { children, until } from "../support/Ground.ts"
import { attachCamera, login, url, withLogin } from "../support/NetworkCamera.ts"
import { failureWith, startCamera } from "./RelayedBench.ts"

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
    "that is idle does not play before who came for it reads its path, and waits for nobody longer than half a second",
    Effect.gen(function* () {
      const { mediaMtx } = yield* TestGround
      const streams = yield* Streams
      const viewers = yield* Viewers
      const camera = yield* startCamera
      const { id } = yield* attachCamera()
      yield* (yield* Paths).awaitPath(id)
      const plays = () => camera.requests().filter((request) => request.startsWith("PLAY")).length
      const pass = (millis: number) =>
        Effect.repeat(Effect.andThen(TestClock.adjust(10), settle), { times: millis / 10 - 1 })
      const comes = Effect.andThen(viewers.admit(id), pass(300))
      yield* comes
      assert.include(camera.requests(), `SETUP ${url}/trackID=1`)
      assert.strictEqual(plays(), 0)
      yield* mediaMtx.setReaders(id, 1)
      yield* pass(50)
      assert.strictEqual(plays(), 1)
      yield* mediaMtx.setReaders(id, 0)
      yield* TestClock.adjust("30 seconds")
      yield* streams.release(id)
      yield* until(
        "it is idle",
        Effect.sync(() => streams.current(id) === undefined)
      )
      yield* comes
      assert.strictEqual(plays(), 1)
      yield* pass(400)
      assert.strictEqual(plays(), 2)
    }),
    { streams: { viewer_linger_seconds: 1 } }
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
      assert.include(detail, "it wants a password and takes it in clear alone")
      assert.include(detail, "external.allow_basic_over_plaintext allows that")
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
})

describe("a camera that streams by itself, and what it sends", () => {
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
})
