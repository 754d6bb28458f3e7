import { afterEach, assert, beforeEach, it, vi } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import * as SubscriptionRef from "effect/SubscriptionRef"
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
