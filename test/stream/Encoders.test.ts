import { assert, describe, it } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Queue from "effect/Queue"
import * as TestClock from "effect/testing/TestClock"
import { mkdirSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { Settings } from "../../src/config/Settings.ts"
import { KernelFiles } from "../../src/ground/KernelFiles.ts"
import { Disk } from "../../src/ground/Disk.ts"
import { Ffmpeg } from "../../src/process/Ffmpeg.ts"
import { Encoders } from "../../src/stream/Encoders.ts"
import { temporaryFolder } from "../storage/Workbench.ts"
import { conformantSps } from "../../testing/FfmpegFaults.ts"
import { fakeSpawner } from "../support/Spawners.ts"
import { testSettings } from "../support/TestSettings.ts"

/** A sequence parameter set of high profile, level 4.0. */
const high = "Z2QAKKzZQKA9sBEAAAMAAQAAAwA8DxgxlgA="
const stream = (sps: string) => `\0\0\0\x01${Buffer.from(sps, "base64").toString("latin1")}\0\0\0\x01\x68\xce`

/** A machine with these render nodes and V4L2 nodes of these names. */
const machine = Effect.fnUntraced(function* (renderers: ReadonlyArray<string>, nodes: ReadonlyArray<string>) {
  const root = yield* temporaryFolder
  const [dev, sys] = [join(root, "dev"), join(root, "sys")]
  mkdirSync(join(dev, "dri"), { recursive: true })
  for (const node of renderers) writeFileSync(join(dev, "dri", node), "")
  nodes.forEach((name, i) => {
    const folder = join(sys, "class/video4linux", `video${i}`)
    mkdirSync(folder, { recursive: true })
    writeFileSync(join(folder, "name"), `${name}\n`)
  })
  const { layer, running, started } = yield* fakeSpawner
  const ffmpeg = Ffmpeg.layer.pipe(Layer.provide([layer, Disk.layer, Layer.succeed(Settings, testSettings())]))
  const context = yield* Layer.build(
    Encoders.layer.pipe(
      Layer.provide([ffmpeg, Layer.succeed(Settings, testSettings()), KernelFiles.layerAt({ dev, sys, proc: root })])
    )
  )
  return { best: Context.get(context, Encoders).best, started, running }
})

/** The disk is a real one: it gets its turn. */
const until = (wanted: () => boolean) =>
  Effect.promise(() => new Promise<void>((resolve) => setImmediate(resolve))).pipe(Effect.repeat({ until: wanted }))

const cameras = ["HD Pro Webcam C920", "Screencast Capture", "bcm2835-codec-decode"]

describe("the best encoder", () => {
  it.effect("is libx264 where no node is an encoder's, and nothing is started to find out", () =>
    Effect.gen(function* () {
      const { best, started } = yield* machine([], cameras)
      yield* until(() => best().why === "there is no hardware encoder")
      assert.strictEqual(best().encoder.name, "libx264")
      assert.strictEqual(yield* Queue.size(started), 0)
    })
  )

  it.effect("is the hardware's when its stream meets the profile, and libx264 until then", () =>
    Effect.gen(function* () {
      const { best, started } = yield* machine(["renderD128", "card0"], cameras)
      const trial = yield* Queue.take(started)
      assert.strictEqual(best().encoder.name, "libx264")
      assert.include(trial.argv.join(" "), "h264_vaapi")
      yield* trial.end(0, { stdout: stream(conformantSps) })
      yield* until(() => best().encoder.name !== "libx264")
      assert.strictEqual(best().encoder.name, "h264_vaapi")
      assert.match(best().why, /passed its trial/)
    })
  )

  it.effect("is libx264 when what comes out does not meet the profile, or is nothing", () =>
    Effect.gen(function* () {
      const { best, started } = yield* machine(["renderD128"], ["bcm2835-codec-encode"])
      const first = yield* Queue.take(started)
      assert.include(first.argv.join(" "), "h264_v4l2m2m")
      yield* first.end(0, { stdout: stream(high) })
      const second = yield* Queue.take(started)
      yield* second.end(0)
      yield* until(() => best().why.startsWith("no hardware encoder works"))
      assert.strictEqual(best().encoder.name, "libx264")
      assert.include(best().why, "h264_v4l2m2m: its stream is high 4.0; h264_vaapi: it gave no H.264")
    })
  )

  it.effect("is libx264 when the trial fails, in FFmpeg's words without a path", () =>
    Effect.gen(function* () {
      const { best, started } = yield* machine(["renderD128"], [])
      const trial = yield* Queue.take(started)
      yield* trial.end(1, { stderr: "[error] Failed to open /dev/dri/renderD128: Permission denied\n" })
      yield* until(() => best().why.startsWith("no hardware encoder works"))
      assert.include(best().why, "Permission denied")
      assert.notInclude(best().why, "/dev")
    })
  )

  it.effect("is libx264 when the hardware has not answered after 5 s, and the trial is gone", () =>
    Effect.gen(function* () {
      const { best, running, started } = yield* machine(["renderD128"], ["s5p-mfc-enc"])
      yield* Queue.take(started)
      yield* TestClock.adjust("2500 millis")
      yield* Queue.take(started)
      yield* TestClock.adjust("2500 millis")
      yield* until(() => best().why.startsWith("no hardware encoder works"))
      assert.strictEqual(running(), 0)
    })
  )
})
