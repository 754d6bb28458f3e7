/**
 * Whether the lab's cameras are what they claim to be, seen through the kernel; one line a check, status 0 when all hold:
 * `test/lab/boot node test/lab/selfcheck.ts`
 */
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Schedule from "effect/Schedule"
import type * as Scope from "effect/Scope"
import assert from "node:assert/strict"
import { execFile } from "node:child_process"
import { existsSync, mkdtempSync, readdirSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { formatAt, frameRates, frameSizes } from "../../src/device/v4l2/Ioctl.ts"
import { Kernel } from "../../src/device/v4l2/Kernel.ts"
import type { CameraSpec } from "./camera/CameraSpec.ts"
import { frameNumberOf, isDark } from "./camera/FrameNumber.ts"
import { plug } from "./camera/UvcCamera.ts"

const folder = mkdtempSync(join(tmpdir(), "selfcheck-"))

const until = (what: string, look: () => boolean) =>
  Effect.sync(look).pipe(
    Effect.repeat({ schedule: Schedule.spaced("10 millis"), until: (found) => found }),
    Effect.timeoutOrElse({ duration: "20 seconds", orElse: () => Effect.die(new Error(`never came: ${what}`)) })
  )

/** udev makes the names when the nodes are ready. */
const byId = ({ name, serial }: CameraSpec) => `/dev/v4l/by-id/usb-Lab_${name}_${serial}-video-index0`
const byPath = () =>
  existsSync("/dev/v4l/by-path")
    ? readdirSync("/dev/v4l/by-path").filter((name) => name.includes("usb") && name.endsWith("index0"))
    : []

const plugged = Effect.fnUntraced(function* (spec: CameraSpec, port = 0) {
  const camera = yield* plug(spec, port)
  yield* until(byId(spec), () => existsSync(byId(spec)))
  return { camera, node: byId(spec) }
})

const ffmpeg = (...args: ReadonlyArray<string>) =>
  Effect.callback<string>((resume) => {
    const child = execFile("ffmpeg", ["-v", "error", "-nostdin", "-y", ...args], (_, __, stderr) =>
      resume(Effect.succeed(stderr))
    )
    return Effect.sync(() => child.kill("SIGKILL"))
  })

const source = (node: string, format: string, rate: number) => {
  const input = ["-f", "v4l2", "-input_format", format, "-video_size", "320x240", "-framerate", String(rate)]
  return [...input, "-i", node]
}
const pictures = (count: number) => Array.from({ length: count }, (_, i) => join(folder, `${i + 1}`))
const into = (count: number, extension: string) => ["-frames:v", String(count), join(folder, `%d.${extension}`)]

const size = (...rates: ReadonlyArray<number>) => ({ width: 320, height: 240, rates })
const mjpg = { pixelFormat: "MJPG", sizes: [size(15, 5), { width: 640, height: 480, rates: [5] }] } as const
const front: CameraSpec = { name: "Front", serial: "F1", formats: [mjpg] }

const queryControl = 0xc0445624
const getControl = 0xc008561b
const setControl = 0xc008561c
/** linux/v4l2-controls.h */
const control = { brightness: 0x980900, gain: 0x980913, exposureMode: 0x9a0901, exposureTime: 0x9a0902 }
const inactive = 0x10

const ask = Effect.fnUntraced(function* (node: string, request: number, length: number, fields: ReadonlyArray<number>) {
  const open = yield* (yield* Kernel).open(node)
  const argument = Buffer.alloc(length)
  fields.forEach((value, i) => argument.writeInt32LE(value, i * 4))
  return (yield* open.ioctlAsync(request, argument)) ? argument : undefined
}, Effect.scoped)
const get = (node: string, id: number) => Effect.map(ask(node, getControl, 8, [id]), (answer) => answer?.readInt32LE(4))
const set = (node: string, id: number, value: number) =>
  Effect.map(ask(node, setControl, 8, [id, value]), (answer) => answer !== undefined)
const isInactive = (node: string, id: number) =>
  Effect.map(ask(node, queryControl, 68, [id]), (answer) => ((answer?.readUInt32LE(56) ?? 0) & inactive) !== 0)

const checks: Readonly<Record<string, Effect.Effect<void, unknown, Kernel | Scope.Scope>>> = {
  "the kernel sees formats, sizes and rates": Effect.gen(function* () {
    const spec: CameraSpec = {
      ...front,
      formats: [mjpg, { pixelFormat: "YUYV", sizes: [size(10)] }, { pixelFormat: "H264", sizes: [size(30, 10)] }]
    }
    const { node } = yield* plugged(spec)
    const { ioctl } = yield* (yield* Kernel).open(node)
    const seen = [0, 1, 2].map((index) => {
      const format = formatAt(ioctl, 1, index)
      const sizes = format === undefined ? [] : frameSizes(ioctl, format.code)
      return {
        pixelFormat: format?.pixelFormat,
        sizes: sizes.map((frame) => {
          const { height, width } = frame
          return { width, height, rates: frameRates(ioctl, format?.code ?? 0, frame) }
        })
      }
    })
    assert.deepEqual(seen, spec.formats)
  }),

  "controls: read, set, clamped without a word, inactive while automatic": Effect.gen(function* () {
    const { node } = yield* plugged({
      ...front,
      controls: [
        { name: "brightness" },
        { name: "gain", clampsAt: 50 },
        { name: "exposureMode" },
        { name: "exposureTime" }
      ]
    })
    assert.equal(yield* set(node, control.brightness, -20), true)
    assert.equal(yield* get(node, control.brightness), -20)
    assert.equal(yield* set(node, control.gain, 80), true)
    assert.equal(yield* get(node, control.gain), 50)
    assert.equal(yield* isInactive(node, control.exposureTime), true)
    assert.equal(yield* set(node, control.exposureTime, 200), false)
    assert.equal(yield* set(node, control.exposureMode, 1), true)
    assert.equal(yield* isInactive(node, control.exposureTime), false)
    assert.equal(yield* set(node, control.exposureTime, 200), true)
  }),

  "controls hang, and answer when released": Effect.gen(function* () {
    const { camera, node } = yield* plugged({ ...front, controls: [{ name: "gain", clampsAt: 50 }] })
    assert.equal(yield* set(node, control.gain, 1), true)
    yield* camera.hangControls(true)
    assert.equal((yield* Effect.flip(get(node, control.gain))).code, "TIMEOUT")
    yield* camera.hangControls(false)
    assert.equal(yield* get(node, control.gain), 1)
  }),

  "MJPEG comes as it was sent": Effect.gen(function* () {
    const { camera, node } = yield* plugged(front)
    yield* ffmpeg(...source(node, "mjpeg", 15), "-c", "copy", "-f", "image2", ...into(3, "jpg"))
    const files = pictures(3).map((file) => `${file}.jpg`)
    const numbers = yield* Effect.forEach(files, frameNumberOf)
    assert.ok(
      numbers.every((number, i) => i === 0 || number > (numbers[i - 1] ?? number)),
      `${numbers}`
    )
    assert.ok(files.every(camera.sentThis))
    yield* until("the end of the stream", () => !camera.isStreaming())
  }),

  "YUYV is readable": Effect.gen(function* () {
    const { node } = yield* plugged({ ...front, formats: [{ pixelFormat: "YUYV", sizes: [size(5)] }] })
    yield* ffmpeg(...source(node, "yuyv422", 5), ...into(1, "png"))
    assert.ok((yield* frameNumberOf(join(folder, "1.png"))) >= 0)
  }),

  "H.264 begins with a keyframe and is readable": Effect.forEach(
    ["constrained baseline", "high"] as const,
    Effect.fnUntraced(function* (h264) {
      const { node } = yield* plugged({ ...front, h264, formats: [{ pixelFormat: "H264", sizes: [size(10)] }] })
      yield* ffmpeg(...source(node, "h264", 10), ...into(2, "png"))
      assert.ok((yield* frameNumberOf(join(folder, "1.png"))) >= 0)
    }, Effect.scoped),
    { discard: true }
  ),

  "dark frames come first": Effect.gen(function* () {
    const { node } = yield* plugged({ ...front, darkFrames: 2 })
    yield* ffmpeg(...source(node, "mjpeg", 5), "-c", "copy", "-f", "image2", ...into(3, "jpg"))
    const dark = yield* Effect.forEach(pictures(3), (file) => isDark(`${file}.jpg`))
    assert.deepEqual(dark, [true, true, false])
  }),

  "a frozen camera sends nothing until it thaws": Effect.gen(function* () {
    const { camera, node } = yield* plugged(front)
    const reading = yield* Effect.forkChild(ffmpeg(...source(node, "mjpeg", 15), "-t", "3", "-f", "null", "-"))
    yield* until("frames", () => camera.framesSent() > 3)
    yield* camera.freeze
    const sent = camera.framesSent()
    yield* Effect.sleep("1 second")
    assert.equal(camera.framesSent(), sent)
    assert.equal(camera.isStreaming(), true)
    yield* camera.thaw
    yield* Fiber.join(reading)
    assert.ok(camera.framesSent() > sent)
  }),

  "garbage is no picture": Effect.gen(function* () {
    const { camera, node } = yield* plugged(front)
    yield* camera.breakFrames(true)
    const file = join(folder, "garbage.png")
    // FFmpeg looks for a picture for as long as it is let
    yield* Effect.timeoutOption(ffmpeg(...source(node, "mjpeg", 15), "-frames:v", "1", file), "8 seconds")
    assert.ok(camera.framesSent() > 0)
    assert.equal(existsSync(file), false)
  }),

  "a full bus refuses a stream with ENOSPC": Effect.gen(function* () {
    const { node } = yield* plugged({ ...front, busFull: true })
    assert.match(yield* ffmpeg(...source(node, "mjpeg", 15), "-t", "1", "-f", "null", "-"), /No space left on device/)
  }),

  "a yanked camera's node goes away": Effect.gen(function* () {
    const { camera, node } = yield* plugged(front)
    yield* camera.yank
    yield* until("its end", () => !existsSync(node))
  }),

  "replugged elsewhere it has its name and another path": Effect.gen(function* () {
    const first = yield* plugged(front)
    const before = byPath()
    yield* first.camera.unplug
    yield* until("its end", () => !existsSync(first.node))
    // on the second controller
    const second = yield* plugged(front, 20)
    assert.equal(second.node, first.node)
    assert.notDeepEqual(byPath(), before)
  }),

  "two with one serial number are two": Effect.gen(function* () {
    yield* plugged(front, 0)
    yield* plug(front, 1)
    yield* until("both", () => byPath().length === 2)
  }),

  "many at once": Effect.gen(function* () {
    const count = Number(process.argv[2] ?? 16)
    for (let i = 0; i < count; i++) yield* plug({ ...front, serial: `M${i}` }, i)
    yield* until("all of them", () => byPath().length === count)
  })
}

let failed = 0
for (const [name, check] of Object.entries(checks)) {
  const start = performance.now()
  const told = await Effect.runPromise(
    check.pipe(
      Effect.scoped,
      Effect.andThen(until("no camera left", () => byPath().length === 0)),
      Effect.provide(Kernel.layer),
      Effect.as("ok"),
      Effect.catchCause((cause) => Effect.succeed(`FAILED ${cause}`))
    )
  )
  if (told !== "ok") failed++
  console.log(`${name}: ${told} (${Math.round(performance.now() - start)} ms)`)
}
process.exit(failed === 0 ? 0 : 1)
