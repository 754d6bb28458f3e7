import { assert, describe } from "@effect/vitest"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Scope from "effect/Scope"
import * as TestClock from "effect/testing/TestClock"
import { Devices } from "../../src/device/Devices.ts"
import { CameraTelemetry, type TelemetryFact } from "../../src/stream/CameraTelemetry.ts"
import { flying } from "../../testing/KlvPackets.ts"
import { settle } from "../../testing/PassingTime.ts"
import { TestGround } from "../../testing/TestGround.ts"
import { readyStream } from "../suites/streams.ts"
import { onFakes, plugIn } from "../support/App.ts"
import { until } from "../support/Ground.ts"
import { attachCamera, target } from "../support/NetworkCamera.ts"
import { listeningClient } from "../support/Story.ts"

/** Its heading is the number of the picture that it tells it beside. */
const drone = Effect.gen(function* () {
  const { rtspCameras } = yield* TestGround
  const camera = yield* rtspCameras.start(target.address)
  yield* camera.disturb({ tells: (picture) => [flying(picture % 360, 0)] })
  return camera
})

const heading = ({ telemetry }: TelemetryFact) => Math.round(telemetry.values.platform_heading_deg ?? -1)

describe("a drone", () => {
  onFakes(
    "tells a client where it looks, as soon as it tells us, and what it told last",
    Effect.gen(function* () {
      yield* drone
      const client = yield* listeningClient("viewer")
      yield* client.call("subscribe_events", { topics: ["telemetry"] })
      const { id } = yield* attachCamera()
      yield* readyStream(id)
      const event = yield* client.update("event", { topic: "telemetry", device: id })
      assert.deepInclude(event?.["data"], {
        device: id,
        precision_time_stamp: "1970-01-01T00:00:00.000000Z",
        security: { classification: "UNCLASSIFIED" }
      })
      const values = { mission_id: "MISSION 01", uas_ls_version: 19 }
      assert.deepInclude(Object(event)["data"].values, values)
      const last = (yield* client.call("get_telemetry", { device: id })) ?? {}
      assert.deepInclude(last["values"], values)
      assert.strictEqual(last["device"], id)
      assert.isAtMost(Number(last["age_ms"]), 200)
      assert.match(String(last["timestamp"]), /^\d{4}-.*Z$/)
    })
  )

  onFakes(
    "that tells thirty times a second is told five times a second, the newest, within 100 ms",
    Effect.gen(function* () {
      const camera = yield* drone
      const telemetry = yield* CameraTelemetry
      const told: Array<{ readonly at: number; readonly age: number; readonly heading: number }> = []
      yield* telemetry.facts.follow((fact) =>
        Effect.map(Clock.currentTimeMillis, (at) =>
          told.push({ at, age: at - fact.heardAt.wall, heading: heading(fact) })
        )
      )
      yield* camera.disturb({ tells: (picture) => [0, 1, 2].map((i) => flying((3 * picture + i) % 360, 0)) })
      const { id } = yield* attachCamera()
      yield* readyStream(id)
      for (let i = 0; i < 400; i++) yield* Effect.andThen(TestClock.adjust("10 millis"), settle)
      const since = told[0]?.at ?? 0
      const inSecond = (second: number) => told.filter(({ at }) => Math.floor((at - since) / 1000) === second)
      for (const second of [0, 1, 2]) assert.isAtMost(inSecond(second).length, 5)
      assert.isAtLeast(inSecond(1).length, 4)
      assert.isTrue(told.every(({ age }) => age <= 100))
      // the last of the three that came together
      assert.isTrue(told.every((one) => one.heading % 3 === 2))
    })
  )

  onFakes(
    "whose stream is over is told of as it was, with its age, until it is forgotten",
    Effect.gen(function* () {
      yield* drone
      const telemetry = yield* CameraTelemetry
      const devices = yield* Devices
      const life = yield* Scope.make()
      const { id } = yield* Scope.provide(attachCamera(), life)
      const stream = yield* Scope.make()
      yield* Scope.provide(readyStream(id), stream)
      yield* until(
        "it tells",
        Effect.sync(() => telemetry.last(id))
      )
      yield* Scope.close(stream, Exit.void)
      yield* TestClock.adjust("10 minutes")
      const client = yield* listeningClient("viewer")
      const last = yield* client.call("get_telemetry", { device: id })
      assert.isAtLeast(Number(last?.["age_ms"]), 60_000)
      yield* Scope.close(life, Exit.void)
      assert.isDefined(telemetry.last(id))
      yield* devices.forget(id, "free")
      yield* until(
        "it is forgotten",
        Effect.sync(() => telemetry.last(id) === undefined)
      )
    }),
    { streams: { viewer_linger_seconds: 1 } }
  )

  onFakes(
    "whose packets are damaged is told of by none of them, and the reason is said",
    Effect.gen(function* () {
      const camera = yield* drone
      const damaged = Buffer.from(flying(1, 0))
      damaged[30] = (damaged[30] ?? 0) ^ 1
      yield* camera.disturb({ tells: () => [damaged] })
      const telemetry = yield* CameraTelemetry
      const { id } = yield* attachCamera()
      yield* readyStream(id)
      yield* until(
        "it is known",
        Effect.sync(() => telemetry.silence(id).flaw)
      )
      const client = yield* listeningClient("viewer")
      assert.deepInclude(yield* client.error("get_telemetry", { device: id }), {
        code: -32020,
        data: {
          state: "WAITING",
          allowed_states: ["ACTIVE"],
          reason: "what it sent could not be read: WRONG_CHECKSUM",
          suggestion: "ask again, or subscribe to telemetry"
        }
      })
      yield* camera.disturb({ tells: () => [damaged, flying(90, 0)] })
      yield* until(
        "it tells",
        Effect.sync(() => telemetry.last(id))
      )
    })
  )

  onFakes(
    "that is idle has told nothing yet, and a camera that never does is no drone",
    Effect.gen(function* () {
      const camera = yield* drone
      const client = yield* listeningClient("viewer")
      const { id } = yield* attachCamera()
      assert.deepInclude(yield* client.error("get_telemetry", { device: id }), {
        code: -32020,
        data: {
          state: "INACTIVE",
          allowed_states: ["ACTIVE"],
          suggestion: "it comes while the camera streams: call start_streaming, or record it"
        }
      })
      const synthetic = yield* plugIn(1)
      const none =
        "of the cameras that you may see none is known to send any: drones do, once they were added (add_external_stream)"
      assert.deepInclude(yield* client.error("get_telemetry", { device: synthetic }), {
        code: -32030,
        data: {
          feature: "telemetry",
          reason: "only cameras in the network send metadata (KLV)",
          suggestion: none
        }
      })
      yield* camera.disturb({ sdp: "v=0\r\nm=video 0 RTP/AVP 96\r\na=rtpmap:96 H264/90000\r\na=control:trackID=0\r\n" })
      yield* readyStream(id)
      assert.deepInclude(yield* client.error("get_telemetry", { device: id }), {
        code: -32030,
        data: {
          feature: "telemetry",
          reason: "there is no metadata (KLV) in what this camera sends",
          suggestion: none
        }
      })
    })
  )

  onFakes(
    "is named to who asks a camera that sends no metadata, where he may see it",
    Effect.gen(function* () {
      const about = (hasKlv: boolean) => ({ codec: "h264", width: 640, height: 480, hasKlv })
      const { id: plain } = yield* attachCamera(target, about(false))
      const { id } = yield* attachCamera({ ...target, address: "192.168.42.11", url: `${target.url}2` }, about(true))
      assert.deepInclude(yield* (yield* listeningClient("viewer")).error("get_telemetry", { device: plain }), {
        code: -32030,
        data: {
          feature: "telemetry",
          reason: "there was no metadata (KLV) in what this camera sent when it was asked last",
          suggestion: `these cameras send it: ${id}`
        }
      })
      const others = yield* listeningClient("viewer", [plain])
      assert.notInclude(JSON.stringify(yield* others.error("get_telemetry", { device: plain })), id)
    })
  )

  onFakes(
    "is told of to who may see it, and to nobody else",
    Effect.gen(function* () {
      yield* drone
      const mine = yield* listeningClient("viewer", ["camera0"])
      const others = yield* listeningClient("viewer", ["camera9"])
      const elsewhere = yield* listeningClient("viewer")
      for (const client of [mine, others]) yield* client.call("subscribe_events", { topics: ["telemetry"] })
      yield* elsewhere.call("subscribe_events", { topics: ["telemetry"], filters: { device: "camera7" } })
      const { id } = yield* attachCamera()
      assert.strictEqual(id, "camera0")
      yield* readyStream(id)
      yield* mine.update("event", { topic: "telemetry", device: id })
      yield* mine.call("ping", {})
      assert.deepInclude(yield* others.error("get_telemetry", { device: id }), {
        code: -32010,
        data: { resource: "camera", id, suggestion: "get_camera_list tells which cameras there are" }
      })
      yield* elsewhere.call("ping", {})
      assert.lengthOf(others.all("event"), 0)
      assert.lengthOf(elsewhere.all("event"), 0)
    })
  )
})
