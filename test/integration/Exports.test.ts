import { assert, layer } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Stream from "effect/Stream"
import { spawnSync } from "node:child_process"
import { mkdtempSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { Settings } from "../../src/config/Settings.ts"
import * as Children from "../../src/ground/Children.ts"
import { Disk } from "../../src/ground/Disk.ts"
import { mp4Sound } from "../../src/media/Mp4Sound.ts"
import { Ffmpeg } from "../../src/process/Ffmpeg.ts"
import { exportArguments, exportList } from "../../src/source/FfmpegArguments.ts"
import { testSettings } from "../support/TestSettings.ts"

const live = Ffmpeg.layer.pipe(
  Layer.provide([Children.layer, Layer.succeed(Settings, testSettings())]),
  Layer.provideMerge(Disk.layer)
)

const folder = Effect.acquireRelease(
  Effect.sync(() => mkdtempSync(join(tmpdir(), "export-"))),
  (path) => Effect.sync(() => rmSync(path, { recursive: true }))
)

const picture = ["-f", "lavfi", "-i", "testsrc2=s=160x120:r=25", "-f", "lavfi", "-i", "sine=r=48000"]
const h264 = ["-t", "2", "-map", "0", "-c:v", "libx264", "-preset", "ultrafast", "-g", "25", "-pix_fmt", "yuv420p"]
const parts = ["-movflags", "frag_keyframe+delay_moov+default_base_moof"]

/** As our service reads it. */
const soundOf = (file: string) => {
  const bytes = readFileSync(file)
  const reading = mp4Sound()
  let step = reading.next()
  while (step.done !== true) {
    const { length, position } = step.value
    step = reading.next(bytes.subarray(position, position + length))
  }
  return step.value
}

/** The codec of each stream, and its packets. */
const contents = (bytes: Uint8Array) => {
  const { stderr, stdout } = spawnSync(
    "ffprobe",
    [
      ...["-v", "error", "-count_packets", "-show_entries", "stream=codec_name,nb_read_packets"],
      ...["-of", "json", "-"]
    ],
    { encoding: "utf8", input: bytes }
  )
  assert.strictEqual(stderr, "")
  const { streams } = JSON.parse(stdout) as { readonly streams: ReadonlyArray<Record<string, string>> }
  return streams.map((stream) => ({ codec: stream["codec_name"], packets: Number(stream["nb_read_packets"]) }))
}

layer(live, { excludeTestServices: true })("an export, by the real FFmpeg", (it) => {
  for (const [codec, encoder, second] of [
    ["aac", ["-c:a", "aac"], 1024 / 48_000],
    ["ac3", ["-c:a", "ac3"], 1536 / 48_000]
  ] as const) {
    it.effect(`has the sound of its files, as it is: ${codec}`, () =>
      Effect.gen(function* () {
        const ffmpeg = yield* Ffmpeg
        const path = join(yield* folder, "a.mp4")
        yield* ffmpeg.run([...picture, ...h264, "-map", "1", ...encoder, ...parts, path], {
          work: "remux",
          timeout: "60 seconds"
        })
        const sound = soundOf(path)
        assert.isDefined(sound)
        const files = [
          { path, seconds: 1, from: 1, to: undefined },
          { path, seconds: 1, from: undefined, to: 1 }
        ]
        const stdin = new TextEncoder().encode(exportList(files))
        const made = yield* ffmpeg.pour(exportArguments(sound?.codec), { work: "export", stdin })
        const [video, audio, ...others] = contents(yield* Stream.mkUint8Array(made))
        assert.deepStrictEqual(others, [])
        assert.strictEqual(video?.codec, "h264")
        // two seconds, from the keyframes
        assert.closeTo(video?.packets ?? 0, 50, 1)
        assert.strictEqual(audio?.codec, codec)
        assert.closeTo((audio?.packets ?? 0) * second, 2, 0.15)
      })
    )
  }
})
