import { assert, describe, it } from "vitest"
import * as fc from "fast-check"
import type { Format, ReadDevice } from "../../src/device/Device.ts"
import { syntheticInput } from "../../src/device/SyntheticInput.ts"
import { v4l2Input } from "../../src/device/v4l2/V4l2Input.ts"
import {
  convertArguments,
  directArguments,
  keyframeArguments,
  publishArguments
} from "../../src/source/FfmpegArguments.ts"
import { maxFrameRate } from "../../src/source/Profile.ts"
import { type Encoding, trialArguments } from "../../src/source/Encoder.ts"
import { type Known, planSource, type Source } from "../../src/source/Source.ts"

const encoding: Encoding = { profile: "stanag4406", bitrateKbps: 600, jpegQuality: 85 }

const camera = (formats: ReadonlyArray<Format>): ReadDevice => ({
  id: "camera0",
  status: "CONNECTED",
  input: v4l2Input("/dev/video0"),
  identity: { position: "usb:1" },
  name: "Camera",
  formats
})
const format = (pixelFormat: string, ...sizes: ReadonlyArray<readonly [number, number, ...Array<number>]>): Format => ({
  pixelFormat,
  sizes: sizes.map(([width, height, ...rates]) => ({ width, height, rates }))
})
const plan = (formats: ReadonlyArray<Format>, how = encoding, known?: Known): Source => {
  const source = planSource(camera(formats), how, known)
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
    assert.strictEqual(valueOf(source.inputArguments, "-input_format"), "mjpeg")
  })

  it("is raw where only that is fast enough", () => {
    const source = plan([format("YUYV", [640, 480, 30]), format("MJPG", [640, 480, 15])])
    assert.strictEqual(valueOf(source.inputArguments, "-input_format"), "yuyv422")
    assert.isFalse(source.deliversJpeg)
  })

  it("is scaled down where every size is too large, from the smallest one", () => {
    const source = plan([format("MJPG", [1920, 1080, 30], [1280, 720, 30])])
    assert.isTrue(source.scaled)
    assert.strictEqual(valueOf(source.inputArguments, "-video_size"), "1280x720")
    assert.isAbove(maxFrameRate("stanag4406", source.width, source.height), 0)
    assert.include(publishArguments(source, "rtsp://x"), `scale=${source.width}:${source.height}`)
  })

  it("is slowed down to what the level allows when the camera only knows faster rates", () => {
    const source = plan([format("YUYV", [640, 480, 60])])
    assert.isAtMost(source.fps, 33)
    assert.strictEqual(valueOf(source.inputArguments, "-framerate"), "60")
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
    const { summary, why } = plan([format("MJPG", [640, 480, 30])], encoding, {
      choice: { encoder: { name: "libx264" }, why: "there is no hardware encoder" },
      without: new Map()
    })
    assert.strictEqual(why, "the camera has no H.264 of its own; there is no hardware encoder")
    assert.strictEqual(
      summary,
      `v4l2 MJPG 640x480 at 30/s -> libx264 constrained baseline 3.0 640x480 at 30/s, 600 kbit/s (${why})`
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
        pixelFormat: fc.constantFrom("MJPG", "YUYV", "NV12", "H264", "ABCD"),
        sizes: fc.array(size, { maxLength: 5 })
      }),
      { maxLength: 4 }
    )
    fc.assert(
      fc.property(formats, (offered) => {
        const source = planSource(camera(offered), encoding)
        fc.pre(source !== undefined)
        assert.isAtMost(source.fps, maxFrameRate("stanag4406", source.width, source.height))
        assert.isAtLeast(source.fps, 1)
      })
    )
  })
})

describe("a camera with H.264 of its own", () => {
  const h264 = format("H264", [1920, 1080, 30], [640, 480, 30], [320, 240, 30])
  const mjpeg = format("MJPG", [640, 480, 30])
  const libx264 = { encoder: { name: "libx264" }, why: "there is no hardware encoder" } as const
  const without = (...bad: ReadonlyArray<string>): Known => ({
    choice: libx264,
    without: new Map(bad.map((pixelFormat) => [pixelFormat, `its ${pixelFormat} is bad`]))
  })

  it("is published as it is, at the largest size and rate that the profile allows", () => {
    const source = plan([mjpeg, h264])
    assert.deepInclude(source, { width: 640, height: 480, fps: 30, scaled: false, encoder: { name: "copy" } })
    assert.strictEqual(source.delivers, "H264 640x480 at 30/s")
    assert.strictEqual(valueOf(source.inputArguments, "-input_format"), "h264")
    const args = publishArguments(source, "rtsp://t")
    const published = args.slice(args.indexOf("pipe:1"))
    assert.strictEqual(valueOf(published, "-c:v"), "copy")
    for (const option of ["-r", "-vf", "-b:v", "-force_key_frames"]) assert.notInclude(published, option)
  })

  it("has its stills decoded, five a second once it is awake, by a decoder that holds no picture back", () => {
    const args = publishArguments(plan([h264]), "rtsp://t")
    const stills = args.slice(0, args.indexOf("pipe:1"))
    assert.deepEqual(stills.slice(0, 4), ["-threads", "1", "-flags", "low_delay"])
    assert.strictEqual(valueOf(stills, "-vf"), "select=lt(n\\,10)+isnan(prev_selected_t)+gte(t-prev_selected_t\\,0.18)")
    assert.strictEqual(valueOf(stills, "-c:v"), "mjpeg")
  })

  it("has another format encoded once its H.264 proved not to conform", () => {
    const source = plan([mjpeg, h264], encoding, without("H264"))
    assert.deepInclude(source, { deliversJpeg: true, encoder: libx264.encoder })
    assert.strictEqual(source.why, "its H264 is bad; there is no hardware encoder")
  })

  it("has it decoded and encoded where there is nothing else", () => {
    const source = plan([h264], encoding, without("H264"))
    assert.strictEqual(source.encoder.name, "libx264")
    assert.strictEqual(valueOf(source.inputArguments, "-input_format"), "h264")
    assert.strictEqual(valueOf(publishArguments(source, "rtsp://t"), "-profile:v"), "baseline")
  })

  it("is not published as it is at a size or a rate that the profile does not allow", () => {
    for (const size of [
      [1280, 720, 30],
      [640, 480, 60]
    ] as const) {
      const source = plan([format("H264", size), format("YUYV", [320, 240, 30])])
      assert.strictEqual(source.encoder.name, "libx264")
      assert.match(source.why, /no size and rate that the profile allows/)
    }
  })

  it("is published as it is at any size without a profile", () => {
    const source = plan([mjpeg, h264], { ...encoding, profile: "none" })
    assert.deepInclude(source, { width: 1920, height: 1080, encoder: { name: "copy" } })
  })
})

describe("a format that proved bad", () => {
  const bad = (pixelFormat: string): Known => ({
    choice: { encoder: { name: "libx264" }, why: "" },
    without: new Map([[pixelFormat, "garbage"]])
  })

  it("is avoided, whatever it takes", () => {
    const source = plan([format("MJPG", [640, 480, 30]), format("YUYV", [320, 240, 15])], encoding, bad("MJPG"))
    assert.strictEqual(source.delivers, "YUYV 320x240 at 15/s")
  })

  it("is better than nothing", () => {
    assert.strictEqual(plan([format("MJPG", [640, 480, 30])], encoding, bad("MJPG")).delivers, "MJPG 640x480 at 30/s")
  })
})

describe("a hardware encoder", () => {
  const formats = [format("YUYV", [1280, 720, 30])]
  const using = (encoder: Known["choice"]["encoder"]) =>
    publishArguments(plan(formats, encoding, { choice: { encoder, why: "" }, without: new Map() }), "rtsp://t")

  it("of VA-API gets its frames uploaded, scaled before", () => {
    const args = using({ name: "h264_vaapi", device: "/dev/dri/renderD128" })
    assert.deepEqual(args.slice(0, 2), ["-vaapi_device", "/dev/dri/renderD128"])
    const published = args.slice(args.indexOf("pipe:1"))
    assert.match(valueOf(published, "-vf") ?? "", /^scale=\d+:\d+,format=nv12,hwupload$/)
    assert.strictEqual(valueOf(published, "-profile:v"), "constrained_baseline")
  })

  it("of V4L2 is told profile and level in its own way", () => {
    const args = using({ name: "h264_v4l2m2m" })
    assert.strictEqual(valueOf(args, "-profile:v"), "578")
    assert.strictEqual(valueOf(args, "-bsf:v"), "h264_metadata=level=3")
  })

  it("is tried with the very arguments that a camera's frames get", () => {
    for (const encoder of [
      { name: "libx264" },
      { name: "h264_v4l2m2m" },
      { name: "h264_vaapi", device: "/dev/dri/renderD128" }
    ] as const) {
      const known: Known = { choice: { encoder, why: "" }, without: new Map() }
      const all = publishArguments(plan([format("YUYV", [640, 480, 30])], encoding, known), "rtsp://t")
      const after = all.slice(all.indexOf("pipe:1") + 3, all.lastIndexOf("-f"))
      assert.include(trialArguments(encoder, encoding).join(" "), after.join(" "))
    }
  })
})

describe("FFmpeg's arguments", () => {
  const raw = plan([format("YUYV", [640, 480, 30])])
  const mjpeg = plan([format("MJPG", [640, 480, 30])])

  it("keep the constraints of the profile, a keyframe every 0.4 s, and no B-frames", () => {
    const all = publishArguments(raw, "rtsp://target")
    const args = all.slice(all.indexOf("pipe:1"))
    assert.strictEqual(valueOf(args, "-profile:v"), "baseline")
    assert.strictEqual(valueOf(args, "-level:v"), "3.0")
    assert.strictEqual(valueOf(args, "-pix_fmt"), "yuv420p")
    assert.strictEqual(valueOf(args, "-bf"), "0")
    assert.strictEqual(valueOf(args, "-g"), "12")
    assert.strictEqual(valueOf(args, "-b:v"), "600k")
    assert.strictEqual(valueOf(args, "-pkt_size"), "1400")
  })

  it("copy an MJPEG camera's own pictures, and encode the others'", () => {
    const pictures = (source: Source) => publishArguments(source, "rtsp://t").join(" ").split("pipe:1")[0]
    assert.include(pictures(mjpeg), "-c:v copy -f fifo -fifo_format image2pipe -drop_pkts_on_overflow 1 ")
    assert.include(pictures(raw), `-q:v ${jpegScale(85)} -f fifo -fifo_format image2pipe `)
  })

  it("give every frame of a real camera for a direct picture, and one of a synthetic one, which is never dark", () => {
    assert.notInclude(directArguments(raw), "-vf")
    assert.strictEqual(valueOf(directArguments(mjpeg), "-c:v"), "copy")
    assert.notInclude(directArguments(mjpeg), "-frames:v")
    const synthetic = planSource({ ...camera([format("RAW", [640, 480, 30])]), input: syntheticInput(0) }, encoding)
    assert.isDefined(synthetic)
    if (synthetic !== undefined) assert.strictEqual(valueOf(directArguments(synthetic), "-frames:v"), "1")
  })

  it("never leave the rate of an output to that of a synthetic camera, which FFmpeg 5.1 takes for a million a second", () => {
    const encoders = [
      { name: "libx264" },
      { name: "h264_v4l2m2m" },
      { name: "h264_vaapi", device: "/dev/dri/renderD128" }
    ] as const
    for (const encoder of encoders) {
      for (const size of [[640, 480, 30] as const, [3840, 2160, 30] as const]) {
        const device = { ...camera([format("RAW", size)]), input: syntheticInput(0) }
        const source = planSource(device, encoding, { choice: { encoder, why: "" }, without: new Map() })
        if (source === undefined) return assert.fail("it cannot be read")
        for (const args of [publishArguments(source, "rtsp://target"), directArguments(source)]) {
          const [, ...outputs] = args.join(" ").split(" -map ")
          assert.isNotEmpty(outputs)
          for (const output of outputs) assert.match(output, / -r \d| -fps_mode vfr /)
        }
      }
    }
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

it("a keyframe is decoded up to the size of 8K: the decoder is told before its input", () => {
  const all = keyframeArguments("h265", 85, 1)
  assert.isAtLeast(Number(valueOf(all, "-max_pixels")), 7680 * 4320)
  assert.isBelow(Number(valueOf(all, "-max_pixels")), 36_000_000)
  assert.isBelow(all.indexOf("-max_pixels"), all.indexOf("-i"))
})
