import { assert, describe, it } from "vitest"
import * as fc from "fast-check"
import type { Device, Format } from "../../src/device/Device.ts"
import { convertArguments, directArguments, publishArguments } from "../../src/source/FfmpegArguments.ts"
import { maxFrameRate } from "../../src/source/Profile.ts"
import { type Encoding, planSource, type Source } from "../../src/source/Source.ts"

const encoding: Encoding = { profile: "stanag4406", bitrateKbps: 600, jpegQuality: 85 }

const camera = (formats: ReadonlyArray<Format>): Device => ({
  id: "camera0",
  status: "CONNECTED",
  kind: "v4l2",
  identity: "usb:1",
  name: "Camera",
  node: "/dev/video0",
  formats
})
const format = (pixelFormat: string, ...sizes: ReadonlyArray<readonly [number, number, ...Array<number>]>): Format => ({
  pixelFormat,
  sizes: sizes.map(([width, height, ...rates]) => ({ width, height, rates }))
})
const plan = (formats: ReadonlyArray<Format>, how = encoding): Source => {
  const source = planSource(camera(formats), how)
  assert.isDefined(source)
  return source as Source
}
const jpegScale = (quality: number) => Number(valueOf(convertArguments({ format: "jpg", quality }), "-q:v"))
const valueOf = (args: ReadonlyArray<string>, option: string) => args[args.indexOf(option) + 1]

describe("how a camera is read", () => {
  it("is at the largest size that the profile allows, and the fastest rate there", () => {
    const source = plan([
      format("YUYV", [1280, 720, 10], [640, 480, 30, 15], [320, 240, 60]),
      format("MJPG", [1920, 1080, 30], [640, 480, 30, 60])
    ])
    assert.deepInclude(source, { width: 640, height: 480, fps: 30, scaled: false, deliversJpeg: true })
    assert.strictEqual(valueOf(source.input, "-input_format"), "mjpeg")
  })

  it("is raw where only that is fast enough", () => {
    const source = plan([format("YUYV", [640, 480, 30]), format("MJPG", [640, 480, 15])])
    assert.strictEqual(valueOf(source.input, "-input_format"), "yuyv422")
    assert.isFalse(source.deliversJpeg)
  })

  it("is scaled down where every size is too large, from the smallest one", () => {
    const source = plan([format("MJPG", [1920, 1080, 30], [1280, 720, 30])])
    assert.isTrue(source.scaled)
    assert.strictEqual(valueOf(source.input, "-video_size"), "1280x720")
    assert.isAbove(maxFrameRate("stanag4406", source.width, source.height), 0)
    assert.include(publishArguments(source, "rtsp://x"), `scale=${source.width}:${source.height}`)
  })

  it("is slowed down to what the level allows when the camera only knows faster rates", () => {
    const source = plan([format("YUYV", [640, 480, 60])])
    assert.isAtMost(source.fps, 33)
    assert.strictEqual(valueOf(publishArguments(source, "rtsp://x"), "-r"), String(source.fps))
  })

  it("is as it comes without a profile", () => {
    const source = plan([format("MJPG", [1920, 1080, 30], [640, 480, 30])], { ...encoding, profile: "none" })
    assert.deepInclude(source, { width: 1920, height: 1080, scaled: false })
    assert.notInclude(publishArguments(source, "rtsp://x"), "baseline")
  })

  it("is not known for formats that nobody reads, and for none", () => {
    assert.isUndefined(planSource(camera([]), encoding))
    assert.isUndefined(planSource(camera([format("Z16 ", [640, 480, 30])]), encoding))
    assert.isUndefined(planSource(camera([format("YUYV", [640, 480])]), encoding))
  })

  it("is told in words without the device's path", () => {
    const { summary } = plan([format("MJPG", [640, 480, 30])])
    assert.strictEqual(
      summary,
      "v4l2 MJPG 640x480 at 30/s -> libx264 constrained baseline 3.0 640x480 at 30/s, 600 kbit/s"
    )
  })

  it("meets the level whatever a camera offers", () => {
    const rate = fc.integer({ min: 1, max: 120 })
    const size = fc.record({
      width: fc.integer({ min: 16, max: 4096 }),
      height: fc.integer({ min: 16, max: 4096 }),
      rates: fc.array(rate, { minLength: 1, maxLength: 4 })
    })
    const formats = fc.array(
      fc.record({
        pixelFormat: fc.constantFrom("MJPG", "YUYV", "NV12", "ABCD"),
        sizes: fc.array(size, { maxLength: 5 })
      }),
      { maxLength: 4 }
    )
    fc.assert(
      fc.property(formats, (offered) => {
        const source = planSource(camera(offered), encoding)
        if (source === undefined) return
        assert.isAtMost(source.fps, maxFrameRate("stanag4406", source.width, source.height))
        assert.isAtLeast(source.fps, 1)
      })
    )
  })
})

describe("FFmpeg's arguments", () => {
  const raw = plan([format("YUYV", [640, 480, 30])])
  const mjpeg = plan([format("MJPG", [640, 480, 30])])

  it("keep the constraints of the profile, a keyframe a second, and no B-frames", () => {
    const all = publishArguments(raw, "rtsp://target")
    const args = all.slice(all.indexOf("pipe:1"))
    assert.strictEqual(valueOf(args, "-profile:v"), "baseline")
    assert.strictEqual(valueOf(args, "-level:v"), "3.0")
    assert.strictEqual(valueOf(args, "-pix_fmt"), "yuv420p")
    assert.strictEqual(valueOf(args, "-bf"), "0")
    assert.strictEqual(valueOf(args, "-g"), "30")
    assert.strictEqual(valueOf(args, "-b:v"), "600k")
    assert.strictEqual(valueOf(args, "-pkt_size"), "1400")
  })

  it("copy an MJPEG camera's own pictures, and encode the others'", () => {
    const pictures = (source: Source) => publishArguments(source, "rtsp://t").join(" ").split("pipe:1")[0]
    assert.include(pictures(mjpeg), "-c:v copy -f image2pipe ")
    assert.include(pictures(raw), `-q:v ${jpegScale(85)} -f image2pipe `)
  })

  it("let a real camera warm up for a direct picture", () => {
    assert.include(directArguments(raw), "select=gte(n\\,5)")
  })

  it("turn 1 to 100 into 31 to 2", () => {
    assert.deepEqual([1, 100].map(jpegScale), [31, 2])
    const scales = Array.from({ length: 100 }, (_, i) => jpegScale(i + 1))
    assert.deepEqual(
      scales,
      [...scales].sort((a, b) => b - a)
    )
    assert.notInclude(convertArguments({ format: "png" }), "-q:v")
  })
})
