import { afterEach, assert, beforeEach, it, vi } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import * as SubscriptionRef from "effect/SubscriptionRef"
import * as TestClock from "effect/testing/TestClock"
import { Settings } from "../../src/config/Settings.ts"
import * as Logs from "../../src/telemetry/Logs.ts"
import { testSettings } from "../support/TestSettings.ts"

let written: Array<string> = []

beforeEach(() => {
  written = []
  vi.spyOn(process.stderr, "write").mockImplementation((text) => (written.push(String(text)), true))
})
afterEach(() => void vi.restoreAllMocks())

const lines = () => written.splice(0).map((line) => JSON.parse(line) as Readonly<Record<string, unknown>>)
const said = () => written.splice(0).map((line): unknown => (JSON.parse(line) as { readonly message: string }).message)

it.effect("the log's level is followed while it runs, also by what runs already", () => {
  const settings = testSettings({ telemetry: { log_format: "json" } })
  const levelIs = (log_level: "debug" | "error") =>
    SubscriptionRef.update(settings.live, (live) => ({ ...live, telemetry: { log_level } }))
  return Effect.gen(function* () {
    const say = Effect.andThen(
      Effect.logDebug("little"),
      Effect.andThen(Effect.logInfo("some"), Effect.logError("much"))
    )
    yield* say
    assert.deepStrictEqual(said(), ["some", "much"])
    yield* levelIs("debug")
    yield* say
    assert.deepStrictEqual(said(), ["little", "some", "much"])
    yield* levelIs("error")
    yield* say
    assert.deepStrictEqual(said(), ["much"])
  }).pipe(Effect.provide(Logs.layer.pipe(Layer.provide(Layer.succeed(Settings, settings)))))
})

class DiskHung extends Schema.TaggedError<DiskHung>()("DiskHung", { disk: Schema.String }) {}

it.effect("a line has one form, whether its fields were given beside the words or as annotations", () => {
  const settings = testSettings({ telemetry: { log_format: "json" } })
  return Effect.gen(function* () {
    yield* Effect.logInfo("beside", { camera: "camera0", message: "no words", level: 7 })
    yield* Effect.annotateLogs(Effect.logInfo("annotated"), { camera: "camera0" })
    yield* Effect.logWarning("failed", new DiskHung({ disk: "sda" }), "twice")
    const [beside, annotated, failed] = lines()
    assert.deepInclude(beside, { level: "info", message: "beside", camera: "camera0" })
    assert.notProperty(beside, "details")
    assert.deepInclude(annotated, { level: "info", message: "annotated", camera: "camera0" })
    assert.deepInclude(failed, { level: "warning", error: { _tag: "DiskHung", disk: "sda" }, detail: "twice" })
  }).pipe(Effect.provide(Logs.layer.pipe(Layer.provide(Layer.succeed(Settings, settings)))))
})

const failing = Effect.gen(function* () {
  yield* TestClock.setTime(Date.UTC(2026, 10, 30, 12, 0, 0, 250))
  yield* Effect.logWarning("failed", new DiskHung({ disk: "sda" })).pipe(Effect.annotateLogs({ camera: "camera0" }))
  yield* Effect.logInfo("alone")
})
const writtenAs = (log_format: "json" | "pretty") =>
  Effect.map(
    failing.pipe(
      Effect.provide(
        Logs.layer.pipe(Layer.provide(Layer.succeed(Settings, testSettings({ telemetry: { log_format } }))))
      )
    ),
    () => written.splice(0)
  )

it.effect("what is written for programs is this, to the byte", () =>
  Effect.gen(function* () {
    assert.deepStrictEqual(yield* writtenAs("json"), [
      '{"timestamp":"2026-11-30T12:00:00.250Z","level":"warning","message":"failed","error":{"_tag":"DiskHung","disk":"sda"},"camera":"camera0"}\n',
      '{"timestamp":"2026-11-30T12:00:00.250Z","level":"info","message":"alone"}\n'
    ])
  })
)

it.effect("what is written for people is this, to the byte", () =>
  Effect.gen(function* () {
    assert.deepStrictEqual(yield* writtenAs("pretty"), [
      '12:00:00.250 \u001b[33mwarning\u001b[0m failed \u001b[90m{"error":{"_tag":"DiskHung","disk":"sda"},"camera":"camera0"}\u001b[0m\n',
      "12:00:00.250 \u001b[32minfo   \u001b[0m alone\n"
    ])
  })
)
