import { assert, describe, layer } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { Settings } from "../../src/config/Settings.ts"
import { splitter, withTables } from "../../src/media/Jpeg.ts"
import { meanLuma } from "../../src/media/Luma.ts"
import { Ffmpeg } from "../../src/process/Ffmpeg.ts"
import * as Children from "../../src/ground/Children.ts"
import { Disk } from "../../src/ground/Disk.ts"
import { testSettings } from "../support/TestSettings.ts"

const some = { work: "picture", timeout: "60 seconds" } as const
const live = Ffmpeg.layer.pipe(Layer.provide([Children.layer, Disk.layer, Layer.succeed(Settings, testSettings())]))

const bufferOf = ({ buffer, byteLength, byteOffset }: Uint8Array): Buffer =>
  Buffer.from(buffer as ArrayBuffer, byteOffset, byteLength)

/** One picture of this filter graph, encoded so. */
const jpegOf = Effect.fnUntraced(function* (graph: string, ...how: ReadonlyArray<string>) {
  const ffmpeg = yield* Ffmpeg
  const output = ["-frames:v", "1", "-c:v", "mjpeg", ...how, "-f", "image2pipe", "pipe:1"]
  const [jpeg] = splitter().push(yield* ffmpeg.run(["-f", "lavfi", "-i", graph, ...output], some))
  assert.isDefined(jpeg)
  return jpeg ?? Buffer.alloc(0)
})

/** FFmpeg's word on a picture: the mean of its luminance (signalstats), and every pixel of it. */
const decoded = Effect.fnUntraced(function* (jpeg: Buffer) {
  const ffmpeg = yield* Ffmpeg
  const input = ["-f", "mjpeg", "-i", "pipe:0"]
  const stats = ["-vf", "signalstats,metadata=print:key=lavfi.signalstats.YAVG:file=-", "-f", "null", "-"]
  const told = bufferOf(yield* ffmpeg.run([...input, ...stats], { ...some, stdin: jpeg })).toString()
  const pixels = ["-f", "rawvideo", "-pix_fmt", "yuvj444p", "pipe:1"]
  return {
    mean: Number(/YAVG=([\d.]+)/.exec(told)?.[1]),
    pixels: bufferOf(yield* ffmpeg.run([...input, ...pixels], { ...some, stdin: jpeg }))
  }
})

/** The picture without its Huffman tables, as a camera's Motion JPEG is. */
const bare = (jpeg: Buffer): Buffer => {
  const at = jpeg.indexOf(Buffer.from([0xff, 0xc4]))
  return Buffer.concat([jpeg.subarray(0, at), jpeg.subarray(at + 2 + jpeg.readUInt16BE(at + 2))])
}

describe("a picture's brightness", () => {
  layer(live, { excludeTestServices: true })("beside what FFmpeg decodes", (it) => {
    const pictures: ReadonlyArray<readonly [graph: string, ...how: ReadonlyArray<string>]> = [
      ["testsrc2=s=640x480", "-pix_fmt", "yuvj422p", "-q:v", "3"],
      ["mandelbrot=s=640x480", "-pix_fmt", "yuvj420p", "-q:v", "2"],
      ["mandelbrot=s=320x240", "-pix_fmt", "yuvj444p", "-q:v", "20"],
      ["testsrc2=s=640x480", "-pix_fmt", "yuvj420p", "-huffman", "default"],
      ["testsrc2=s=640x480", "-pix_fmt", "yuvj422p", "-slices", "8", "-threads", "8"],
      ["testsrc2=s=320x240,format=gray", "-pix_fmt", "gray", "-strict", "unofficial"],
      ["color=black:s=640x480", "-pix_fmt", "yuvj420p"],
      ["color=0x101010:s=640x480,noise=alls=8:allf=t", "-pix_fmt", "yuvj422p"],
      ["color=white:s=640x480", "-pix_fmt", "yuvj422p"]
    ]
    for (const [graph, ...how] of pictures) {
      it.effect(`is right for ${graph} ${how.join(" ")}`, () =>
        Effect.gen(function* () {
          const jpeg = yield* jpegOf(graph, ...how)
          const { mean } = yield* decoded(jpeg)
          assert.approximately(meanLuma(jpeg) ?? -1, mean, 0.5)
        })
      )
    }

    it.effect("and its pixels are the same without the standard tables, and with them put in", () =>
      Effect.gen(function* () {
        const jpeg = yield* jpegOf("testsrc2=s=320x240", "-pix_fmt", "yuvj422p", "-huffman", "default")
        const camera = bare(jpeg)
        assert.isBelow(camera.length, jpeg.length)
        assert.strictEqual(meanLuma(camera), meanLuma(jpeg))
        const mended = withTables(camera)
        assert.isAbove(mended.indexOf(Buffer.from([0xff, 0xc4])), 0)
        assert.deepEqual((yield* decoded(mended)).pixels, (yield* decoded(jpeg)).pixels)
      })
    )
  })
})
