import { assert, describe, layer } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import { mkdtemp, open, rm, stat, truncate } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { Settings } from "../../src/config/Settings.ts"
import { Ffmpeg } from "../../src/process/Ffmpeg.ts"
import { Disk } from "../../src/ground/Disk.ts"
import { jpegSize } from "../../src/media/Jpeg.ts"
import { readMp4Header } from "../../src/ground/Mp4File.ts"
import * as Children from "../../src/ground/Children.ts"
import { betweenKeyframes } from "../../src/media/Keyframes.ts"
import { meanLuma } from "../../src/media/Luma.ts"
import { keyframeArguments } from "../../src/source/FfmpegArguments.ts"
import { testSettings } from "../support/TestSettings.ts"

const live = Ffmpeg.layer.pipe(
  Layer.provide([Children.layer, Layer.succeed(Settings, testSettings())]),
  Layer.provideMerge(Disk.layer)
)

const some = { work: "picture", timeout: "60 seconds" } as const
const picture = ["-f", "lavfi", "-i", "testsrc2=s=320x240:r=25"]
const h264 = ["-c:v", "libx264", "-preset", "ultrafast", "-g", "25", "-pix_fmt", "yuv420p"]
const parts = ["-movflags", "+empty_moov+default_base_moof", "-frag_duration", "200000"]

const folder = Effect.acquireRelease(
  Effect.promise(() => mkdtemp(join(tmpdir(), "media-"))),
  (path) => Effect.promise(() => rm(path, { recursive: true }))
)

/** A file of `seconds` as MediaMTX writes it, in parts; the header tells no duration until it is closed. */
const recorded = Effect.fnUntraced(function* (seconds: number, ...args: ReadonlyArray<string>) {
  const file = join(yield* folder, "a.mp4")
  const ffmpeg = yield* Ffmpeg
  yield* ffmpeg.run([...picture, "-t", String(seconds), ...h264, ...args, file], some)
  return file
})

/** Writes the duration into the movie header, as MediaMTX does when it closes a file. */
const close = (file: string, seconds: number) =>
  Effect.promise(async () => {
    await using handle = await open(file, "r+")
    const head = Buffer.alloc(2000)
    await handle.read(head, 0, head.length, 0)
    const at = head.indexOf("mvhd") + 4
    head.writeUInt32BE(seconds * head.readUInt32BE(at + 12), at + 16)
    await handle.write(head, 0, head.length, 0)
  })

describe("FFmpeg", () => {
  layer(live, { excludeTestServices: true })("as a child", (it) => {
    it.effect("is there", () => Effect.flatMap(Ffmpeg, ({ check }) => check))

    for (const [codec, frames, encoder] of [
      ["h264", "B-frames", ["-c:v", "libx264", "-preset", "ultrafast", "-bf", "2"]],
      ["h264", "no B-frames", ["-c:v", "libx264", "-preset", "ultrafast", "-bf", "0"]],
      ["h265", "B-frames", ["-c:v", "libx265", "-preset", "ultrafast", "-x265-params", "bframes=2:log-level=0"]],
      ["h265", "no B-frames", ["-c:v", "libx265", "-preset", "ultrafast", "-x265-params", "bframes=0:log-level=0"]]
    ] as const) {
      const keyframe = (size: string, color: string, rate = 25) =>
        Effect.flatMap(Ffmpeg, (ffmpeg) => {
          const input = [
            "-f",
            "lavfi",
            "-i",
            `color=c=${color}:s=${size}:r=${rate}`,
            "-frames:v",
            "1",
            "-pix_fmt",
            "yuv420p"
          ]
          const format = ["-f", codec === "h264" ? codec : "hevc", "pipe:1"]
          return ffmpeg.run([...input, ...encoder, ...format], some)
        })
      const make = (stdin: Uint8Array, kind: string) =>
        Effect.flatMap(Ffmpeg, (ffmpeg) => {
          const input = () => Buffer.concat([stdin, betweenKeyframes[codec]])
          const practice = { kind, args: keyframeArguments(codec, 85, 2), input }
          return ffmpeg.picture(keyframeArguments(codec, 85, 1), { stdin, timeout: "60 seconds", practice })
        })

      const largest = frames === "B-frames" ? ", and of none that is larger than 8K" : ""
      it.effect(`makes of each keyframe of ${codec} with ${frames} its own picture${largest}`, () =>
        Effect.gen(function* () {
          const black = yield* keyframe("1920x1080", "black")
          const white = yield* keyframe("1920x1080", "white")
          // the second is made by who stood by, and those after it by who has made the one before, where it can
          for (const [shown, keyframe, luma] of [
            ["black", black, 0],
            ["black", black, 0],
            ["white", white, 255],
            ["black", black, 0]
          ] as const) {
            const jpeg = Buffer.from(yield* make(keyframe, "a camera's"))
            assert.deepEqual(jpegSize(jpeg), { width: 1920, height: 1080 })
            assert.closeTo(meanLuma(jpeg) ?? Number.NaN, luma, 3, shown)
            // until it has, mostly
            yield* Effect.sleep("250 millis")
          }
          if (largest === "") return
          const { exitCode } = yield* Effect.flip(make(yield* keyframe("8192x8192", "gray"), "another's"))
          assert.strictEqual(exitCode, 1)
        })
      )

      it.effect(
        `makes of two keyframes of ${codec} with ${frames} two pictures, however far apart the stream says`,
        () =>
          Effect.gen(function* () {
            const ffmpeg = yield* Ffmpeg
            const black = yield* keyframe("320x240", "black", 5)
            const white = yield* keyframe("320x240", "white", 5)
            const stdin = Buffer.concat([black, betweenKeyframes[codec], white])
            const all = Buffer.from(yield* ffmpeg.run(keyframeArguments(codec, 85, 2), { ...some, stdin }))
            const second = all.indexOf(Buffer.of(0xff, 0xd9)) + 2
            const lumas = [all.subarray(0, second), all.subarray(second)].map((jpeg) =>
              Math.round(meanLuma(jpeg) ?? -1)
            )
            assert.deepEqual(lumas, [0, 255])
          })
      )
    }

    it.effect("makes a picture", () =>
      Effect.gen(function* () {
        const ffmpeg = yield* Ffmpeg
        const jpeg = yield* ffmpeg.run(
          [...picture, "-frames:v", "1", "-f", "image2pipe", "-c:v", "mjpeg", "pipe:1"],
          some
        )
        assert.deepStrictEqual([...jpeg.subarray(0, 2), ...jpeg.subarray(-2)], [0xff, 0xd8, 0xff, 0xd9])
        const smaller = yield* ffmpeg.run(
          ["-f", "mjpeg", "-i", "pipe:0", "-vf", "scale=64:48", "-f", "image2pipe", "-c:v", "mjpeg", "pipe:1"],
          { ...some, stdin: jpeg }
        )
        assert.isBelow(smaller.length, jpeg.length)
      })
    )

    it.effect("says why it failed", () =>
      Effect.gen(function* () {
        const ffmpeg = yield* Ffmpeg
        const failed = yield* Effect.flip(
          ffmpeg.run(["-i", "rtsp://me:secret@127.0.0.1:1/live", "-f", "null", "-"], some)
        )
        assert.include(failed.detail, "Connection refused")
        assert.notInclude(JSON.stringify(failed), "secret")
        const unknown = yield* Effect.flip(ffmpeg.run([...picture, "-no-such-option", "1", "-f", "null", "-"], some))
        assert.include(unknown.detail, "no-such-option")
      })
    )

    it.effect("reports its progress while it runs, and stops when its scope closes", () =>
      Effect.gen(function* () {
        const ffmpeg = yield* Ffmpeg
        const scope = yield* Scope.make()
        const args = [
          "-re",
          ...picture,
          ...h264,
          "-f",
          "mpegts",
          "-y",
          "/dev/null",
          "-c:v",
          "mjpeg",
          "-f",
          "mjpeg",
          "pipe:1"
        ]
        const process = yield* ffmpeg.start(args, { urgency: "stream" }).pipe(Scope.provide(scope))
        const progress = process.progress.pipe(
          Stream.filter(({ frame, outTimeUs }) => frame > 5 && outTimeUs > 0),
          Stream.take(1),
          Stream.runCollect
        )
        const [seen] = yield* Effect.raceFirst(progress, Effect.andThen(Stream.runDrain(process.stdout), Effect.never))
        assert.isAbove(seen?.frame ?? 0, 5)
        yield* Scope.close(scope, Exit.void)
        assert.isFalse((yield* process.exit).missing)
        assert.isEmpty((yield* Stream.runCollect(process.progress)).slice(1))
      })
    )

    it.effect("tells of a stream that ended by itself with status 0", () =>
      Effect.gen(function* () {
        const ffmpeg = yield* Ffmpeg
        const process = yield* ffmpeg.start([...picture, "-frames:v", "3", "-f", "null", "-"], { urgency: "stream" })
        assert.strictEqual((yield* process.exit).code, 0)
      })
    )
  })

  layer(live, { excludeTestServices: true })("asked about a file", (it) => {
    it.effect("tells what is in a closed recording, without reading it to its end", () =>
      Effect.gen(function* () {
        const ffmpeg = yield* Ffmpeg
        const file = yield* recorded(2, ...parts)
        // A duration that only the header has: whoever reads the parts finds 2 s.
        yield* close(file, 3600)
        const { size } = yield* Effect.promise(() => stat(file))
        assert.deepStrictEqual(yield* ffmpeg.probe(file), {
          duration: 3600,
          codec: "h264",
          width: 320,
          height: 240,
          bytes: size
        })
      })
    )

    it.effect("tells the duration of a recording whose writer was killed in the middle of a part", () =>
      Effect.gen(function* () {
        const ffmpeg = yield* Ffmpeg
        const file = yield* recorded(4, ...parts)
        const { size } = yield* Effect.promise(() => stat(file))
        yield* Effect.promise(() => truncate(file, Math.floor(size / 2)))
        const info = yield* ffmpeg.probe(file)
        assert.strictEqual((yield* readMp4Header(yield* Disk, file))?.duration, 0)
        assert.isAbove(info.duration, 1)
        assert.isBelow(info.duration, 3)
        assert.deepInclude(info, { codec: "h264", width: 320, height: 240, bytes: Math.floor(size / 2) })
      })
    )

    it.effect("tells 0 of a recording that has no part yet", () =>
      Effect.gen(function* () {
        const ffmpeg = yield* Ffmpeg
        const file = yield* recorded(1, ...parts)
        yield* Effect.promise(() => truncate(file, 900))
        const info = yield* ffmpeg.probe(file)
        assert.isBelow(info.duration, 0.5)
        assert.strictEqual(info.codec, "h264")
      })
    )

    it.effect("tells of other containers, and of one whose header is at its end", () =>
      Effect.gen(function* () {
        const ffmpeg = yield* Ffmpeg
        const plain = yield* recorded(2)
        assert.deepInclude(yield* ffmpeg.probe(plain), { duration: 2, codec: "h264" })
        for (const name of ["a.ts", "a.mkv"]) {
          const file = join(yield* folder, name)
          yield* ffmpeg.run(["-i", plain, "-c", "copy", file], some)
          const info = yield* ffmpeg.probe(file)
          assert.approximately(info.duration, 2, 0.1)
          assert.strictEqual(info.codec, "h264")
        }
      })
    )

    it.effect("fails for one that is not there, or is no media", () =>
      Effect.gen(function* () {
        const ffmpeg = yield* Ffmpeg
        assert.strictEqual((yield* Effect.flip(ffmpeg.probe("/nowhere/a.mp4")))._tag, "FfmpegFailed")
        assert.include((yield* Effect.flip(ffmpeg.probe(import.meta.filename))).detail, "Invalid data")
      })
    )
  })
})
