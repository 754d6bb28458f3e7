import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { Devices } from "../../src/device/Devices.ts"
import { Feeds } from "../../src/stream/Feeds.ts"
import { Streams } from "../../src/stream/Streams.ts"
import { TestGround } from "../../testing/TestGround.ts"
import { conformantSps } from "../../testing/FfmpegFaults.ts"
import { codecOf, readyStream, stateOf, untilReady } from "../suites/streams.ts"
import { dataFolder, disturb, disturbWork, onFakes, onTestGround, plugIn, plugInUsb, runFake } from "../support/App.ts"
import { children, running, until } from "../support/Ground.ts"

/** As x264 writes it: constrained baseline, but level 4.0. */
const tooHigh = "Z0LAKNoCgPbARAAAAwAEAAADAPI8YMqAAA=="

/** Plugs in a camera that delivers these formats in 640 × 480; what its stream says of itself is `sps`. */
const camera = Effect.fnUntraced(function* (pixelFormats: ReadonlyArray<string>, sps?: string) {
  yield* disturb({ sps })
  return yield* plugInUsb(...pixelFormats)
})

const encoders = Effect.map(children("publish"), (all) => all.map(({ args }) => args[args.lastIndexOf("-c:v") + 1]))

describe("a camera with H.264 of its own", () => {
  onFakes(
    "is published as it is when its bit stream meets the profile",
    Effect.gen(function* () {
      const stream = yield* readyStream(yield* camera(["MJPG", "H264"], conformantSps))
      assert.deepEqual(yield* encoders, ["copy"])
      assert.deepInclude(codecOf(stream), { level: "3.0", conformant: true })
      assert.strictEqual(stream.run?.making?.encoder.name, "copy")
    })
  )

  onFakes(
    "is encoded when its bit stream does not, and was never told to be ready before",
    Effect.gen(function* () {
      const streams = yield* Streams
      const id = yield* camera(["MJPG", "H264"], tooHigh)
      const stream = yield* streams.lease(id, "viewer")
      const reason = "the camera's own H.264 does not meet the profile: it is constrained baseline 4.0"
      yield* until(
        "the end of the copy",
        Effect.sync(() => {
          assert.notStrictEqual(stateOf(stream)._tag, "Ready")
          return "reason" in stateOf(stream)
        })
      )
      assert.deepEqual(stateOf(stream), { _tag: "Starting", reason })
      yield* disturb({ sps: conformantSps })
      yield* untilReady(stream)
      assert.deepEqual(yield* encoders, ["copy", "libx264"])
      assert.lengthOf(yield* running("publish"), 1)
      assert.include(stream.run?.making?.why, reason)
      assert.include(stream.run?.making?.delivers, "MJPG")
    })
  )

  onFakes(
    "is not tried again with the next stream",
    Effect.gen(function* () {
      const id = yield* camera(["H264"], tooHigh)
      yield* Effect.scoped(
        Effect.gen(function* () {
          const streams = yield* Streams
          const stream = yield* streams.lease(id, "viewer")
          yield* until(
            "the end of the copy",
            Effect.sync(() => "reason" in stateOf(stream))
          )
          yield* disturb({ sps: conformantSps })
          yield* untilReady(stream)
        })
      )
      yield* until(
        "the stream is over",
        Effect.map(running("publish"), (all) => all.length === 0)
      )
      yield* readyStream(id)
      assert.deepEqual(yield* encoders, ["copy", "libx264", "libx264"])
    }),
    { streams: { viewer_linger_seconds: 0 } }
  )

  onFakes(
    "is waited for when its headers come with its first keyframe only",
    Effect.gen(function* () {
      const streams = yield* Streams
      const id = yield* camera(["H264"])
      const stream = yield* streams.lease(id, "viewer")
      yield* until(
        "pictures come",
        Effect.sync(() => stream.run?.pictureAt)
      )
      assert.notStrictEqual(stateOf(stream)._tag, "Ready")
      yield* disturb({ sps: conformantSps })
      yield* untilReady(stream)
      assert.strictEqual(codecOf(stream)?.conformant, true)
    })
  )
})

describe("the hardware's encoder", () => {
  /** Runs on a machine that has one. */
  const withHardware = (name: string, body: Parameters<typeof onFakes>[1]) =>
    it.effect(name, () =>
      Effect.gen(function* () {
        const { cameras } = yield* TestGround
        cameras.putRenderer("renderD128")
        yield* runFake(dataFolder, body)
      }).pipe(onTestGround)
    )

  const proven = (hardware: "works" | "fails") =>
    Effect.gen(function* () {
      const feeds = yield* Feeds
      const devices = yield* Devices
      yield* disturbWork({ hardware })
      const id = yield* plugIn()
      const device = yield* devices.get(id)
      yield* until(
        "the trial is over",
        Effect.sync(() => feeds.of(device).making()?.encoder.name === "h264_vaapi")
      )
      return id
    })

  withHardware(
    "encodes once it has passed its trial",
    Effect.gen(function* () {
      const stream = yield* readyStream(yield* proven("works"))
      assert.deepEqual(yield* encoders, ["h264_vaapi"])
      assert.match(stream.run?.making?.why ?? "", /passed its trial/)
    })
  )

  withHardware(
    "is left for libx264 for good when it fails with a camera, and only with that one",
    Effect.gen(function* () {
      const feeds = yield* Feeds
      const devices = yield* Devices
      const id = yield* proven("fails")
      const stream = yield* readyStream(id)
      assert.deepEqual(yield* encoders, ["h264_vaapi", "libx264"])
      assert.include(stream.run?.making?.why, "h264_vaapi failed with this camera")
      const other = yield* devices.get(yield* plugIn(1))
      assert.strictEqual(feeds.of(other).making()?.encoder.name, "h264_vaapi")
    })
  )

  /** What FFmpeg 5.1 and 9.0 say at their end of a header that could not be written; the first "[error]" is said for them. */
  const noHeader = {
    "5.1": (why: string) =>
      [
        `Could not write header for output file #1 (incorrect codec parameters ?): ${why}`,
        "[error] Error initializing output stream 1:0 -- "
      ].join("\n"),
    "9.0": (why: string) =>
      [
        `[out#1/rtsp @ 0x5647686e9c40] [error] Could not write header (incorrect codec parameters ?): ${why}`,
        `[vf#1:0 @ 0x5647686efac0] [error] Error sending frames to consumers: ${why}`,
        `[vf#1:0 @ 0x5647686efac0] [error] Task finished with error code: -111 (${why})`,
        `[vf#1:0 @ 0x5647686efac0] [error] Terminating thread with return code -111 (${why})`,
        "[out#1/rtsp @ 0x5647686e9c40] [error] Nothing was written into output file, because at least one of its streams received no packets."
      ].join("\n")
  }
  const encodersAfter = Effect.fnUntraced(function* (complaint: string) {
    const id = yield* proven("works")
    yield* disturb({ failStarts: 1, complaint })
    yield* readyStream(id)
    return yield* encoders
  })

  // the third is said of a connection that is closed before the header is whole
  const refusals = [
    "Connection refused",
    "Server returned 5XX Server Error reply",
    "Invalid data found when processing input"
  ]
  for (const [version, text] of Object.entries(noHeader)) {
    for (const why of refusals) {
      withHardware(
        `stays when it was MediaMTX that did not take what it encodes, as FFmpeg ${version} says it: ${why}`,
        Effect.gen(function* () {
          assert.deepEqual(yield* encodersAfter(text(why)), ["h264_vaapi", "h264_vaapi"])
        })
      )
    }

    withHardware(
      `is left for libx264 when what it gives makes no header, as FFmpeg ${version} says it`,
      Effect.gen(function* () {
        assert.deepEqual(yield* encodersAfter(text("Function not implemented")), ["h264_vaapi", "libx264"])
      })
    )
  }
})
