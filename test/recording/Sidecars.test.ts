import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/testing/TestClock"
import { join } from "node:path"
import type { RecordingFormat } from "../../schema/Recording.ts"
import { RecordedTelemetry } from "../../src/recording/RecordedTelemetry.ts"
import { FileIndex } from "../../src/storage/FileIndex.ts"
import { Files } from "../../src/storage/Files.ts"
import { sidecarOf } from "../../src/storage/Names.ts"
import { flying } from "../../testing/KlvPackets.ts"
import { settle } from "../../testing/PassingTime.ts"
import { TestGround } from "../../testing/TestGround.ts"
import { filesOnDisk, record, start, stop } from "../suites/recordings.ts"
import { dataFolder, onFakes, onTestGround, runFake } from "../support/App.ts"
import { listening } from "../support/Log.ts"
import { attachCamera, target } from "../support/NetworkCamera.ts"
import { listeningClient } from "../support/Story.ts"

/** Its heading goes round in 36 seconds. */
const drone = Effect.gen(function* () {
  const { rtspCameras } = yield* TestGround
  const camera = yield* rtspCameras.start(target.address)
  yield* camera.disturb({ tells: (picture) => [flying(picture % 360, 0)] })
  return (yield* attachCamera()).id
})

const pass = Effect.fnUntraced(function* (seconds: number) {
  for (let i = 0; i < seconds * 50; i++) yield* Effect.andThen(TestClock.adjust("20 millis"), settle)
})

const everything = { from: 0, to: Number.POSITIVE_INFINITY, limit: 500 }

const pathOf = (recording: string) => join(dataFolder, "recordings", sidecarOf(recording))

const bytesBeside = Effect.fnUntraced(function* (recording: string) {
  const { disk } = yield* TestGround
  return disk.outside.read(pathOf(recording))
})

/** A recording of so many seconds that has ended; its name. */
const recorded = Effect.fnUntraced(function* (camera: string, seconds: number, format: RecordingFormat = "fmp4") {
  const recording = yield* start({ camera, format })
  yield* record(recording)
  yield* pass(seconds)
  const { files } = yield* stop(camera)
  return files.map(({ filename }) => filename)
})

describe("what a drone tells while it is recorded", () => {
  for (const format of ["fmp4", "stanag4609", "mkv"] as const) {
    onFakes(
      `lies beside the recording (${format}), five times a second, by the seconds since it began`,
      Effect.gen(function* () {
        const [name = ""] = yield* recorded(yield* drone, 4, format)
        assert.deepEqual(yield* filesOnDisk, [name, sidecarOf(name)])
        const { points } = yield* (yield* RecordedTelemetry).points(name, everything)
        const offsets = points.map(({ offset }) => offset)
        assert.isAtLeast(points.length, 18)
        assert.isAtMost(points.length, 5 * 7)
        assert.isBelow(offsets[0] ?? 9, 0.5)
        assert.isAbove(offsets.at(-1) ?? 0, 3.5)
        assert.deepEqual(
          offsets,
          offsets.toSorted((a, b) => a - b)
        )
        // ten pictures a second, each a degree further
        const [first, last] = [points[0], points.at(-1)]
        const turned = (last?.values.platform_heading_deg ?? 0) - (first?.values.platform_heading_deg ?? 0)
        assert.closeTo(turned, 10 * ((last?.offset ?? 0) - (first?.offset ?? 0)), 3)
      })
    )
  }

  onFakes(
    "counts with the recording and goes with it, and is none itself",
    Effect.gen(function* () {
      const index = yield* FileIndex
      const [name = ""] = yield* recorded(yield* drone, 2)
      const { length } = yield* bytesBeside(name)
      assert.isAbove(length, 500)
      const file = yield* index.get("recording", name)
      assert.deepInclude(file, { beside: length })
      assert.deepEqual(yield* index.totals("recording"), { files: 1, bytes: (file?.bytes ?? 0) + length })
      const client = yield* listeningClient("operator")
      const listed = (yield* client.call("list_recordings", {})) as { readonly total: number }
      assert.strictEqual(listed.total, 1)
      yield* index.reconcile
      assert.deepInclude(yield* index.get("recording", name), { beside: length })
      assert.deepInclude(yield* client.error("get_recording_info", { filename: sidecarOf(name) }), { code: -32010 })
      yield* client.call("delete_recording", { filename: name })
      assert.deepEqual(yield* filesOnDisk, [])
      assert.deepEqual(yield* index.totals("recording"), { files: 0, bytes: 0 })
    })
  )

  onFakes(
    "lies beside each of its files, what belongs to it",
    Effect.gen(function* () {
      const names = yield* recorded(yield* drone, 7)
      assert.isAtLeast(names.length, 3)
      const telemetry = yield* RecordedTelemetry
      for (const name of names.slice(0, -1)) {
        const { points } = yield* telemetry.points(name, everything)
        assert.isAtLeast(points.length, 7, name)
        assert.isAtMost(points.at(-1)?.offset ?? 9, 2.2)
        assert.isBelow(points[0]?.offset ?? 9, 0.35)
      }
      const files = yield* Files
      yield* files.delete("recording", names[0] ?? "")
      assert.deepEqual(
        yield* filesOnDisk,
        names.slice(1).flatMap((name) => [name, sidecarOf(name)])
      )
    }),
    { recording: { segment_seconds: 2 } }
  )

  onFakes(
    "is on the disk while it goes on, up to the last seconds, and synced",
    Effect.gen(function* () {
      const { disk } = yield* TestGround
      const calls = yield* disk.calls
      const recording = yield* start({ camera: yield* drone })
      yield* record(recording)
      yield* pass(10)
      const name = recording.segments()[0]?.filename ?? ""
      const lines = new TextDecoder()
        .decode(yield* bytesBeside(name))
        .trim()
        .split("\n")
      assert.isAtLeast(JSON.parse(lines.at(-1) ?? "").t, 6)
      assert.include(calls, `sync ${pathOf(name)}`)
    })
  )

  onFakes(
    "is removed with a recording that somebody removes by hand",
    Effect.gen(function* () {
      const { disk } = yield* TestGround
      const [name = ""] = yield* recorded(yield* drone, 2)
      disk.outside.remove(join(dataFolder, "recordings", name))
      yield* (yield* FileIndex).reconcile
      assert.deepEqual(yield* filesOnDisk, [])
    })
  )

  onFakes(
    "is lost where the disk does not take it, and the recording is not",
    Effect.gen(function* () {
      const { disk } = yield* TestGround
      const camera = yield* drone
      yield* disk.suffer({ name: "read-only", at: "klv" })
      const [name = ""] = yield* recorded(camera, 3)
      assert.deepEqual(yield* filesOnDisk, [name])
      assert.deepEqual(yield* (yield* RecordedTelemetry).points(name, everything), { points: [], next: undefined })
    })
  )

  it.effect("is told to be lost, once, where the disk does not answer for long", () => {
    const { layer, lines } = listening()
    const lost = () => lines.filter(({ message }) => message.includes("is lost"))
    const body = Effect.gen(function* () {
      const { disk } = yield* TestGround
      yield* record(yield* start({ camera: yield* drone }))
      yield* pass(3)
      const hung = yield* disk.suffer({ name: "hung", calls: ["append"], at: "klv" })
      yield* pass(10)
      assert.lengthOf(lost(), 0)
      yield* pass(20)
      assert.lengthOf(lost(), 1)
      yield* hung.takeBack
    })
    return onTestGround(runFake(dataFolder, body)).pipe(Effect.provide(layer))
  })

  onFakes(
    "is read by spans and in pages, whatever a power cut has left at its end",
    Effect.gen(function* () {
      const { disk } = yield* TestGround
      const camera = yield* drone
      const [name = ""] = yield* recorded(camera, 1)
      const line = (t: number) => `{"t":${t},"precision_time_stamp":"x","values":{"mission_id":"${"m".repeat(100)}"}}\n`
      // a megabyte and a half
      const lines = Array.from({ length: 10_000 }, (_, i) => line(i / 5)).join("")
      disk.outside.remove(pathOf(name))
      disk.outside.write(pathOf(name), new TextEncoder().encode(`${lines}no JSON\n{"t":3000}\n{"t":2000,"preci`))
      const client = yield* listeningClient("viewer")
      const ask = (span: object) =>
        Effect.map(client.call("get_recording_telemetry", { filename: name, ...span }), (result) => {
          const { next, points } = result as {
            readonly next?: number
            readonly points: ReadonlyArray<{ offset: number }>
          }
          return { next, offsets: points.map(({ offset }) => offset) }
        })
      assert.deepEqual(yield* ask({ from: 1000, to: 1000.7 }), {
        next: undefined,
        offsets: [1000, 1000.2, 1000.4, 1000.6]
      })
      assert.deepEqual(yield* ask({ from: 1999.5 }), { next: undefined, offsets: [1999.6, 1999.8] })
      assert.deepEqual(yield* ask({ from: 5000 }), { next: undefined, offsets: [] })
      const page = yield* ask({ from: 0.1, limit: 3 })
      assert.deepEqual(page, { next: 0.8, offsets: [0.2, 0.4, 0.6] })
      assert.strictEqual((yield* ask({})).offsets.length, 100)
      assert.deepInclude(yield* client.error("get_recording_telemetry", { filename: "a.mp4" }), { code: -32010 })
      const others = yield* listeningClient("viewer", ["camera9"])
      assert.deepInclude(yield* others.error("get_recording_telemetry", { filename: name }), { code: -32010 })
    })
  )
})
