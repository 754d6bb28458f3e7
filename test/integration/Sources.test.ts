import { assert, describe, layer } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Stream from "effect/Stream"
import { join } from "node:path"
import { Settings } from "../../src/config/Settings.ts"
import type { ReadDevice } from "../../src/device/Device.ts"
import { v4l2Input } from "../../src/device/v4l2/V4l2Input.ts"
import { now } from "../../src/ground/Time.ts"
import { splitter } from "../../src/media/Jpeg.ts"
import { spsIn } from "../../src/media/Sps.ts"
import { Ffmpeg } from "../../src/process/Ffmpeg.ts"
import { type Encoding, trialArguments } from "../../src/source/Encoder.ts"
import { directArguments } from "../../src/source/FfmpegArguments.ts"
import { planSource, type Source } from "../../src/source/Source.ts"
import { pictureReader } from "../../src/stream/PictureReader.ts"
import { codecOf } from "../../src/stream/PublishedCodec.ts"
import { found } from "../device/InMemory.ts"
import { temporaryFolder } from "../storage/Workbench.ts"
import * as Children from "../../src/ground/Children.ts"
import { Disk } from "../../src/ground/Disk.ts"
import { testSettings } from "../support/TestSettings.ts"

const some = { work: "picture", timeout: "60 seconds" } as const
const live = Ffmpeg.layer.pipe(Layer.provide([Children.layer, Disk.layer, Layer.succeed(Settings, testSettings())]))

const encoding: Encoding = { profile: "stanag4406", bitrateKbps: 600, jpegQuality: 85 }

/** The plan for a camera of this format that is read from something else than a device. */
const planFor = (pixelFormat: string, inputArguments: ReadonlyArray<string>): Source => {
  const formats = [{ pixelFormat, sizes: [{ width: 640, height: 480, rates: [30] }] }]
  const device: ReadDevice = {
    ...found("usb:1", { formats }),
    input: v4l2Input("/dev/video0"),
    id: "camera0",
    status: "CONNECTED"
  }
  const source = planSource(device, encoding)
  assert.isDefined(source)
  return { ...(source as Source), inputArguments }
}

/** Twenty frames, the first eight black. */
const wakingCamera =
  "testsrc2=s=640x480:r=30,drawbox=x=0:y=0:w=iw:h=ih:color=black:t=fill:enable='lt(n,8)',trim=end_frame=20"

/** The first picture that is fit to be shown. */
const firstPicture = Effect.fnUntraced(function* (source: Source) {
  const ffmpeg = yield* Ffmpeg
  const process = yield* ffmpeg.start(directArguments(source), { urgency: "stream" })
  const read = pictureReader(source.input)
  const pictures = process.stdout.pipe(
    Stream.mapEffect((chunk) => Effect.map(now, (moment) => read(chunk, moment).good)),
    Stream.flattenIterable
  )
  return yield* Effect.flatMap(Stream.runHead(pictures), Effect.fromOption)
}, Effect.scoped)

describe("a camera that is read directly", () => {
  layer(live, { excludeTestServices: true })("with FFmpeg", (it) => {
    it.effect("gives its own JPEG byte by byte, and none of its dark ones", () =>
      Effect.gen(function* () {
        const ffmpeg = yield* Ffmpeg
        const file = join(yield* temporaryFolder, "camera.mjpeg")
        const jpeg = ["-c:v", "mjpeg", "-pix_fmt", "yuvj422p", "-q:v", "3", "-f", "mjpeg"]
        yield* ffmpeg.run(["-f", "lavfi", "-i", wakingCamera, ...jpeg, file], some)
        const frames = splitter().push(
          yield* ffmpeg.run(["-i", file, "-c", "copy", "-f", "image2pipe", "pipe:1"], some)
        )
        assert.lengthOf(frames, 20)
        const source = planFor("MJPG", ["-re", "-f", "mjpeg", "-framerate", "30", "-i", file])
        const { jpeg: picture } = yield* firstPicture(source)
        assert.isAtLeast(
          frames.findIndex((frame) => frame.equals(picture)),
          8
        )
      })
    )

    it.effect("gives a JPEG of its raw frames, and none of its dark ones", () =>
      Effect.gen(function* () {
        const source = planFor("YUYV", ["-re", "-f", "lavfi", "-i", `${wakingCamera},format=yuyv422`])
        assert.deepInclude(yield* firstPicture(source), { width: 640, height: 480 })
      })
    )
  })
})

describe("the trial of an encoder", () => {
  layer(live, { excludeTestServices: true })("with FFmpeg", (it) => {
    it.effect("shows whether its stream meets the profile", () =>
      Effect.gen(function* () {
        const ffmpeg = yield* Ffmpeg
        const stream = Buffer.from(yield* ffmpeg.run(trialArguments({ name: "libx264" }, encoding), some))
        const codec = codecOf(spsIn(stream) ?? Buffer.alloc(0), encoding)
        assert.deepInclude(codec, { level: "3.0", width: 640, height: 480, conformant: true })
      })
    )

    it.effect("fails where there is no such hardware", () =>
      Effect.gen(function* () {
        const ffmpeg = yield* Ffmpeg
        const nowhere = { name: "h264_vaapi", device: "/nowhere/renderD128" } as const
        assert.strictEqual(
          (yield* Effect.flip(ffmpeg.run(trialArguments(nowhere, encoding), some)))._tag,
          "FfmpegFailed"
        )
      })
    )
  })
})
