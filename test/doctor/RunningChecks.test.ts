import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Ref from "effect/Ref"
import { TestClock } from "effect/testing"
import { Settings } from "../../src/config/Settings.ts"
import type { Device } from "../../src/device/Device.ts"
import { Devices } from "../../src/device/Devices.ts"
import { Holders } from "../../src/device/v4l2/Holders.ts"
import { v4l2Input } from "../../src/device/v4l2/V4l2Input.ts"
import { RunningChecks } from "../../src/doctor/RunningChecks.ts"
import { DataFolder } from "../../src/storage/DataFolder.ts"
import { Encoders } from "../../src/stream/Encoders.ts"
import { TestGround } from "../../testing/TestGround.ts"
import { settingsWith } from "../storage/Workbench.ts"
import { Ground, testGround, until } from "../support/Ground.ts"

const found: Device = {
  id: "camera0",
  name: "Yard",
  status: "CONNECTED",
  identity: { position: "" },
  input: v4l2Input("/dev/video0"),
  formats: [{ pixelFormat: "YUYV", sizes: [{ width: 640, height: 480, rates: [30] }] }]
}
const devices = Layer.mock(Devices, {
  list: () => [found],
  find: () => found,
  settled: () => true,
  facts: { follow: () => Effect.void, followFirst: () => Effect.void, tellIn: () => Effect.void }
})
const software = { encoder: { name: "libx264" }, why: "there is no hardware encoder" } as const

const running = RunningChecks.layer.pipe(
  Layer.provide(DataFolder.layerShared),
  Layer.provide([devices, Layer.mock(Encoders, { best: () => software })]),
  Layer.provide(Holders.layer),
  Layer.provideMerge(settingsWith({ data_dir: "/data" })),
  Layer.provideMerge(testGround)
)

/** As it is seen at the next look. */
const seen = Effect.gen(function* () {
  const { latest } = yield* RunningChecks
  const before = yield* latest
  yield* TestClock.adjust("1 minute")
  const { results } = yield* until(
    "they have been looked at",
    Effect.map(latest, (looked) => looked !== before && looked)
  )
  return (name: string) => results.find((one) => one.name === name)
})

it.effect("the machine is looked at when somebody asks, beside the answer, and again after a minute", () =>
  Effect.gen(function* () {
    const { disk } = yield* TestGround
    const { latest } = yield* RunningChecks
    const calls = yield* disk.calls
    const looks = () => calls.filter((call) => call.startsWith("create")).length
    assert.isUndefined(yield* latest)
    yield* until(
      "they have been looked at",
      Effect.map(latest, (looked) => looked !== undefined)
    )
    const first = yield* latest
    assert.deepStrictEqual(
      first?.results.map(({ name }) => name),
      ["configuration", "encoders", "udev", "usb", "ports", "disk", "disk_sync", "clock", "inotify", "memory"]
    )
    assert.strictEqual(looks(), 1)
    yield* TestClock.adjust("59 seconds")
    assert.strictEqual(yield* latest, first)
    yield* TestClock.adjust("1 second")
    assert.strictEqual(yield* latest, first)
    yield* until(
      "they have been looked at again",
      Effect.map(latest, (looked) => looked !== first)
    )
    assert.strictEqual(looks(), 2)
  }).pipe(Effect.provide(running))
)

it.effect("what the service knows is told by it: no child is started, and no camera is opened", () =>
  Effect.gen(function* () {
    const { cameras } = yield* TestGround
    const { children } = yield* Ground
    const camera = yield* cameras.plug({ name: "Yard" })
    // nobody may open it: what it delivers is known of old
    yield* camera.refuse
    const of = yield* seen
    assert.strictEqual(of("encoders")?.evidence, "libx264: there is no hardware encoder")
    assert.include(of("usb")?.evidence, "/dev/video0 (Yard): YUYV 640x480 at 30/s, about 147 Mb/s")
    assert.include(of("ports")?.evidence, "8002 (server.port)")
    assert.deepStrictEqual(children(), [])
  }).pipe(Effect.provide(running))
)

it.effect("what of the configuration is not in force is told, the gravest alone", () =>
  Effect.gen(function* () {
    const { unapplied } = yield* Settings
    assert.strictEqual((yield* seen)("configuration")?.severity, "ok")
    yield* Ref.set(unapplied, { refused: [], waiting: [], ignored: ["CAMERA_SERVICE_X is no key"] })
    assert.deepInclude((yield* seen)("configuration"), { severity: "warning", evidence: "CAMERA_SERVICE_X is no key" })
    yield* Ref.set(unapplied, { refused: [], waiting: ["server.port"], ignored: [] })
    assert.deepInclude((yield* seen)("configuration"), {
      severity: "warning",
      evidence: "these keys wait for the next start: server.port"
    })
    yield* Ref.set(unapplied, { refused: ["it is empty"], waiting: ["server.port"], ignored: [] })
    const { evidence, severity } = (yield* seen)("configuration") ?? {}
    assert.strictEqual(severity, "failure")
    assert.include(evidence, "it is empty")
  }).pipe(Effect.provide(running))
)
