import { assert, describe } from "@effect/vitest"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Option from "effect/Option"
import * as Scope from "effect/Scope"
import * as TestClock from "effect/testing/TestClock"
import { Devices } from "../../src/device/Devices.ts"
import type { Sent } from "../../src/device/Input.ts"
import { MediaMtxApi } from "../../src/process/MediaMtxApi.ts"
import { Paths } from "../../src/stream/Paths.ts"
import { Status } from "../../src/stream/Status.ts"
import { Streams } from "../../src/stream/Streams.ts"
import { Viewers } from "../../src/stream/Viewers.ts"
import { cameraSdp } from "../../testing/RtspPackets.ts"
import { TestGround } from "../../testing/TestGround.ts"
import { codecOf, readyStream, stateOf, untilReady } from "../suites/streams.ts"
import { bringMediaMtx, onFakes, plugIn, takeMediaMtx } from "../support/App.ts"
import { running, until } from "../support/Ground.ts"
import { attachCamera, target } from "../support/NetworkCamera.ts"

const h265: Sent = { codec: "h265", width: 1280, height: 720, rate: 25 }

/** 1280 × 720, as x265 wrote it. */
const sps = "QgEBAWAAAAMAkAAAAwAAAwBdoAKAgC0WWVmkkyvAWgIAAAMAAgAAAwAyEA=="
const h265Sdp = [
  ...["v=0", "o=- 1 1 IN IP4 0.0.0.0", "s=Camera", "t=0 0", "a=control:*"],
  ...["m=video 0 RTP/AVP 96", "a=framerate:25", "a=rtpmap:96 H265/90000", "a=control:trackID=0"],
  ...[`a=fmtp:96 sprop-sps=${sps}`, ""]
].join("\r\n")

/** What it plays is H.264 that meets the profile, or is said to be H.265. */
const startCamera = Effect.fnUntraced(function* (sdp: string | undefined = h265Sdp) {
  const { rtspCameras } = yield* TestGround
  const camera = yield* rtspCameras.start(target.address)
  yield* camera.disturb({ sdp })
  return camera
})

/** A camera that was seen to send this, played, and the name of its transcode. */
const startWith = Effect.fnUntraced(function* (sends: Sent = h265, sdp?: string) {
  const camera = yield* startCamera(sdp)
  const { id } = yield* attachCamera(target, sends)
  yield* (yield* Paths).awaitPath(`${id}_h264`)
  return { camera, id, name: `${id}_h264` }
})

const transcoding = Effect.map(running("publish"), (all) => all.filter(({ args }) => args.join(" ").includes("_h264?")))

/** FFmpeg's arguments, in one text, without its tickets. */
const argumentsNow = Effect.map(transcoding, ([child]) => (child?.args ?? []).join(" ").replace(/token=\S+/g, "token"))

const gone = (name: string) =>
  until(
    `${name} is over`,
    Effect.map(Streams, (streams) => streams.current(name) === undefined)
  )

describe("the transcode of a camera that streams by itself", () => {
  onFakes(
    "has its path while nobody wants it, and nothing runs for it; a camera that FFmpeg reads has none",
    Effect.gen(function* () {
      const { camera, name } = yield* startWith()
      const api = yield* MediaMtxApi
      assert.isFalse(Option.getOrThrow(yield* api.getPath(name)).ready)
      const read = yield* plugIn(7)
      yield* (yield* Paths).awaitPath(read)
      assert.isFalse((yield* Paths).exists(`${read}_h264`))
      const streams = yield* Streams
      assert.strictEqual((yield* Effect.flip(Effect.scoped(streams.lease(`${read}_h264`, "viewer"))))._tag, "NotFound")
      yield* TestClock.adjust("5 seconds")
      assert.lengthOf(yield* running("publish"), 0)
      assert.isEmpty(camera.requests())
    })
  )

  onFakes(
    "is one FFmpeg for all who watch, and one session at the camera, and ends after the last of them has gone",
    Effect.gen(function* () {
      const viewers = yield* Viewers
      const streams = yield* Streams
      const { mediaMtx } = yield* TestGround
      const { camera, id, name } = yield* startWith()
      yield* viewers.admit(name)
      yield* viewers.admit(name)
      yield* viewers.admit(id)
      yield* until(
        "it is ready",
        Effect.sync(() => {
          const stream = streams.current(name)
          return stream !== undefined && codecOf(stream)
        })
      )
      yield* mediaMtx.setReaders(name, 2)
      const counted = yield* (yield* Status).of(id)
      assert.deepEqual([counted.path?.readers, counted.viewers], [1, 2])
      yield* TestClock.adjust("30 seconds")
      assert.lengthOf(yield* transcoding, 1)
      assert.strictEqual(camera.mostAtOnce(), 1)
      assert.strictEqual(camera.playing(), 1)
      yield* mediaMtx.setReaders(name, 0)
      yield* TestClock.adjust("40 seconds")
      yield* gone(name)
      yield* until(
        "FFmpeg has gone",
        Effect.map(transcoding, (all) => all.length === 0)
      )
      yield* TestClock.adjust("60 seconds")
      yield* gone(id)
      assert.strictEqual(camera.playing(), 0)
    }),
    { streams: { viewer_linger_seconds: 20 } }
  )

  onFakes(
    "has the first keyframe: an idle camera does not play before FFmpeg reads its path, however fast it is",
    Effect.gen(function* () {
      const streams = yield* Streams
      const api = yield* MediaMtxApi
      const { camera, id, name } = yield* startWith()
      yield* streams.lease(name, "viewer")
      const seen = yield* until(
        "the camera plays",
        Effect.map(api.getPath(id), (path) => (camera.playing() === 0 ? undefined : Option.getOrThrow(path)))
      )
      assert.strictEqual(seen.readers, 1)
    })
  )

  onFakes(
    "holds the camera's own stream up for half a second at most where FFmpeg does not come",
    Effect.gen(function* () {
      const streams = yield* Streams
      const { camera, id, name } = yield* startWith()
      const life = yield* Scope.make()
      yield* Scope.provide(readyStream(yield* plugIn(7)), life)
      const began = yield* Clock.currentTimeMillis
      yield* streams.lease(name, "viewer")
      yield* until(
        "the camera plays",
        Effect.sync(() => camera.playing() === 1)
      )
      assert.isAtMost((yield* Clock.currentTimeMillis) - began, 800)
      assert.strictEqual(streams.current(id)?.name, id)
      yield* Scope.close(life, Exit.void)
    }),
    { limits: { ffmpeg_processes: 1 }, streams: { viewer_linger_seconds: 0 } }
  )

  onFakes(
    "is H.264 that meets the profile, with Opus beside it, in the size that the level allows",
    Effect.gen(function* () {
      const { name } = yield* startWith()
      const stream = yield* readyStream(name)
      const args = yield* argumentsNow
      assert.match(args, / -i rtsp:\/\/127\.0\.0\.1:8554\/camera0\?token /)
      assert.match(args, / rtsp:\/\/127\.0\.0\.1:8554\/camera0_h264\?token$/)
      for (const part of ["scale=844:474", "-r 25", "-profile:v baseline", "-level:v 3.0", "-bf 0", "-c:a libopus"]) {
        assert.include(args, part)
      }
      assert.deepInclude(stream.run?.making, {
        ...{ delivers: "H265 1280x720 at 25/s", width: 844, height: 474 },
        encoder: { name: "libx264" }
      })
      yield* until(
        "its SPS was read",
        Effect.sync(() => codecOf(stream))
      )
      assert.isTrue(codecOf(stream)?.conformant)
    })
  )

  onFakes(
    "passes the picture on where only the sound is none that browsers play",
    Effect.gen(function* () {
      const { name } = yield* startWith(
        {
          ...{ codec: "h264", width: 640, height: 480, rate: 10, hasBFrames: false, audioCodec: "mpeg4-generic" },
          ...{ profile: "constrained baseline", level: "3.0" }
        },
        cameraSdp
      )
      yield* readyStream(name)
      assert.include(yield* argumentsNow, "-map 0:v:0 -c:v copy -map 0:a:0? -c:a libopus")
    })
  )

  onFakes(
    "is made anew as soon as the camera sends another size than it was seen to",
    Effect.gen(function* () {
      const { name } = yield* startWith({ ...h265, width: 320, height: 240 })
      const stream = yield* readyStream(name)
      yield* until(
        "it has the size that comes",
        Effect.sync(() => stream.run?.making.width === 844)
      )
      assert.strictEqual(stream.restarts, 0)
      assert.lengthOf(yield* transcoding, 1)
    })
  )

  onFakes(
    "waits at MediaMTX while the camera starts, and has a frame of any shape where that was never seen",
    Effect.gen(function* () {
      const camera = yield* startCamera()
      yield* camera.disturb({ isSilent: true })
      const { id } = yield* attachCamera()
      yield* (yield* Streams).lease(`${id}_h264`, "viewer")
      yield* until(
        "FFmpeg waits for it",
        Effect.map(transcoding, (all) => all.length === 1)
      )
      assert.include(yield* argumentsNow, "scale='min(iw,720)':'min(ih,576)'")
    })
  )

  onFakes(
    "tells the camera's trouble as its own, ends with its stream, and is back with it",
    Effect.gen(function* () {
      const { camera, id, name } = yield* startWith()
      const stream = yield* readyStream(name)
      yield* camera.disturb({ refuses: { DESCRIBE: "404 Not Found" }, diesInMidFrame: true })
      const failing = yield* until(
        "its trouble is told",
        Effect.sync(() => {
          const state = stateOf(stream)
          return state._tag === "Failing" && state.isCamera === true ? state : undefined
        })
      )
      const own = (yield* Streams).current(id)
      assert.deepEqual(failing, own && stateOf(own))
      yield* until(
        "FFmpeg has gone",
        Effect.map(transcoding, (all) => all.length === 0)
      )
      yield* camera.disturb({ refuses: {}, diesInMidFrame: false })
      yield* (yield* Devices).recovered(id)
      yield* untilReady(stream)
      assert.strictEqual(stream.restarts, 0)
      assert.strictEqual(camera.mostAtOnce(), 1)
    })
  )

  onFakes(
    "sends away who waits for it while the camera is to blame",
    Effect.gen(function* () {
      const { mediaMtx } = yield* TestGround
      const { camera, name } = yield* startWith()
      yield* camera.disturb({ refuses: { DESCRIBE: "404 Not Found" } })
      yield* (yield* Viewers).admit(name)
      yield* until(
        "its path is made anew",
        Effect.sync(() => mediaMtx.calls().includes(`replace ${name}`))
      )
    })
  )

  onFakes(
    "is started again when FFmpeg ends or hangs, and the camera's own stream goes on",
    Effect.gen(function* () {
      const { camera, id, name } = yield* startWith()
      const stream = yield* readyStream(name)
      for (const harm of ["kill", "freeze"] as const) {
        yield* until(
          "frames come out",
          Effect.sync(() => (stream.run?.published.frames ?? 0) > 0)
        )
        const [child] = yield* transcoding
        if (child === undefined) return assert.fail("no FFmpeg runs")
        yield* child[harm]
        yield* until(
          "another runs",
          Effect.map(transcoding, (all) => all.some(({ pid }) => pid !== child.pid))
        )
        yield* untilReady(stream)
      }
      assert.strictEqual(stream.restarts, 2)
      assert.strictEqual((yield* Streams).current(id)?.restarts, 0)
      assert.lengthOf(
        camera.requests().filter((request) => request.startsWith("PLAY")),
        1
      )
    })
  )

  onFakes(
    "waits for its turn where as many FFmpegs run as may, and says so",
    Effect.gen(function* () {
      const { name } = yield* startWith()
      const life = yield* Scope.make()
      yield* Scope.provide(readyStream(yield* plugIn(7)), life)
      const streams = yield* Streams
      const stream = yield* streams.lease(name, "viewer")
      const waiting = yield* until(
        "it waits in the queue",
        Effect.sync(() => {
          const state = stateOf(stream)
          return state._tag === "Starting" && state.place === 1 ? state : undefined
        })
      )
      assert.include(waiting.reason, "it is number 1 in the queue")
      yield* Scope.close(life, Exit.void)
      yield* untilReady(stream)
    }),
    { limits: { ffmpeg_processes: 1 }, streams: { viewer_linger_seconds: 0 } }
  )

  onFakes(
    "is there again after MediaMTX was killed",
    Effect.gen(function* () {
      const { camera, name } = yield* startWith()
      const stream = yield* readyStream(name)
      yield* takeMediaMtx
      yield* until(
        "its path is gone",
        Effect.map(Paths, (paths) => !paths.exists(name))
      )
      yield* bringMediaMtx
      yield* until(
        "its path is back",
        Effect.map(Paths, (paths) => paths.exists(name))
      )
      yield* untilReady(stream)
      assert.strictEqual(camera.mostAtOnce(), 1)
      assert.lengthOf(yield* transcoding, 1)
    })
  )

  onFakes(
    "goes with its camera: path, FFmpeg and session",
    Effect.gen(function* () {
      const camera = yield* startCamera()
      const life = yield* Scope.make()
      const { id } = yield* Scope.provide(attachCamera(target, h265), life)
      const name = `${id}_h264`
      const [paths, streams, devices] = [yield* Paths, yield* Streams, yield* Devices]
      yield* Effect.scoped(readyStream(name))
      assert.isDefined(streams.current(name))
      yield* streams.release(id)
      yield* Scope.close(life, Exit.void)
      yield* devices.forget(id, "kept")
      yield* until(
        "its paths are gone",
        Effect.sync(() => !paths.exists(id) && !paths.exists(name))
      )
      yield* gone(name)
      yield* gone(id)
      assert.lengthOf(yield* transcoding, 0)
      assert.strictEqual(camera.playing(), 0)
    })
  )
})
