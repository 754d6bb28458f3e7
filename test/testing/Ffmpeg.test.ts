import { assert, describe } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import * as SubscriptionRef from "effect/SubscriptionRef"
import { Tickets } from "../../src/auth/Tickets.ts"
import { Ffmpeg } from "../../src/process/Ffmpeg.ts"
import { MediaMtxApi } from "../../src/process/MediaMtxApi.ts"
import { asTimePasses } from "../../testing/PassingTime.ts"
import { TestGround } from "../../testing/TestGround.ts"
import { onFakes } from "../support/App.ts"

/** FFmpeg as it publishes camera0, with its ticket, and the address that everybody reads in its arguments. */
const publisher = Effect.gen(function* () {
  const ffmpeg = yield* Ffmpeg
  const ticket = yield* (yield* Tickets).issue("camera0", "publish")
  yield* (yield* MediaMtxApi).addPath("camera0", {})
  const url = `rtsp://127.0.0.1:8554/camera0?token=${ticket.password}`
  const process = yield* ffmpeg.start(["-f", "image2pipe", "pipe:1", "-f", "rtsp", url], { urgency: "stream" })
  ticket.giveTo(process.pid)
  return { process, ticket, url }
})

describe("the played FFmpeg", () => {
  onFakes(
    "publishes with its ticket, and nobody else does with it",
    Effect.gen(function* () {
      const api = yield* MediaMtxApi
      const { mediaMtx } = yield* TestGround
      const { process, ticket, url } = yield* publisher
      const thief = yield* Effect.flip(mediaMtx.publish({ pid: 1, url }))
      assert.strictEqual(thief.status, 401)
      yield* asTimePasses(ticket.redeemed)
      const [first] = yield* asTimePasses(process.stdout.pipe(Stream.take(1), Stream.runCollect))
      assert.deepEqual([...(first ?? []).slice(0, 2)], [0xff, 0xd8])
      assert.isTrue(Option.getOrThrow(yield* api.getPath("camera0")).ready)
      yield* mediaMtx.crash
      assert.include((yield* asTimePasses(process.exit)).stderr, "Broken pipe")
    })
  )

  onFakes(
    "is recorded while its path says so, and its file is whole when that is over",
    Effect.gen(function* () {
      const api = yield* MediaMtxApi
      const { outside } = (yield* TestGround).disk
      outside.makeFolder("/recordings")
      const { process } = yield* publisher
      const record = (on: boolean) =>
        api.replacePath("camera0", { record: on, recordPath: "/recordings/%path_%Y-%m-%d_%H-%M-%S_%f" })
      yield* record(true)
      yield* asTimePasses(process.stdout.pipe(Stream.take(2), Stream.runDrain))
      yield* record(false)
      const [name = ""] = outside.names("/recordings")
      assert.match(name, /^camera0_\d{4}-\d\d-\d\d_\d\d-\d\d-\d\d_\d{6}\.mp4$/)
      const duration = new DataView(outside.read(`/recordings/${name}`).slice(48, 52).buffer).getUint32(0)
      assert.isAbove(duration, 0)
    })
  )

  onFakes(
    "fails as often as a camera is broken, and no other camera's does",
    Effect.gen(function* () {
      const { cameras, disturb } = (yield* TestGround).ffmpeg
      yield* disturb("camera1", { failStarts: 5 })
      yield* disturb("camera0", { failStarts: 1 })
      const { process } = yield* publisher
      assert.include((yield* asTimePasses(process.exit)).stderr, "the camera is broken")
      const left = yield* SubscriptionRef.get(cameras)
      assert.deepEqual(
        [...left].map(([camera, { failStarts }]) => [camera, failStarts]),
        [
          ["camera1", 5],
          ["camera0", 0]
        ]
      )
    })
  )
})
