import { assert, layer } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { spawnSync } from "node:child_process"
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { eventually } from "../support/Eventually.ts"
import { clientOf, SharedService } from "../support/Service.ts"

const bytesOf = (url: string, headers: Readonly<Record<string, string>> = {}) =>
  Effect.promise(async () => {
    const response = await fetch(url, { headers })
    return { status: response.status, headers: response.headers, bytes: Buffer.from(await response.arrayBuffer()) }
  })

/** Pictures in a file, and its seconds, as ffprobe counts them. */
const contents = (bytes: Buffer) => {
  const folder = mkdtempSync(join(tmpdir(), "camera-service-export-"))
  const file = join(folder, "export.mp4")
  writeFileSync(file, bytes)
  const { stderr, stdout } = spawnSync(
    "ffprobe",
    [
      ...["-v", "error", "-count_frames", "-show_entries", "stream=nb_read_frames:format=duration"],
      ...["-of", "json", file]
    ],
    { encoding: "utf8" }
  )
  rmSync(folder, { recursive: true })
  const { format, streams } = JSON.parse(stdout) as {
    readonly format: { readonly duration: string }
    readonly streams: ReadonlyArray<{ readonly nb_read_frames: string }>
  }
  return { seconds: Number(format.duration), pictures: Number(streams[0]?.nb_read_frames), complaint: stderr }
}

const settings = { RECORDING_SEGMENT_SECONDS: "2", STREAMS_VIEWER_LINGER_SECONDS: "1" }

layer(SharedService.layer({ cameras: 1, settings }), { timeout: "120 seconds", excludeTestServices: true })(
  "what was recorded",
  (it) => {
    it.effect("is told with its gaps, fetched in parts, exported without them, and shown in small", () =>
      Effect.gen(function* () {
        const service = yield* SharedService
        const { call } = yield* clientOf(service, { role: "operator" })
        const token = yield* service.token({ role: "viewer" })
        const device = "camera0"
        const began = Date.now()
        const record = Effect.fnUntraced(function* (seconds: number) {
          yield* call.start_recording({ device })
          yield* Effect.sleep(`${seconds} seconds`)
          return yield* call.stop_recording({ device })
        })
        const first = yield* record(5)
        yield* Effect.sleep("1500 millis")
        const second = yield* record(3)
        assert.isAtLeast(first.files.length, 2)
        const period = { from: new Date(began).toISOString(), to: new Date().toISOString() }

        const { cameras } = yield* call.get_recorded_spans({ ...period, resolution_seconds: 0 })
        assert.lengthOf(cameras, 1)
        const spans = cameras[0]?.spans ?? []
        assert.lengthOf(spans, 2, JSON.stringify(spans))
        assert.strictEqual(spans[0]?.reason, "the recording was stopped")
        const lengths = spans.map(({ end, start }) => (Date.parse(end) - Date.parse(start)) / 1000)
        assert.closeTo(lengths[0] ?? 0, first.duration, 0.3)
        assert.closeTo(lengths[1] ?? 0, second.duration, 0.3)
        const coarse = yield* call.get_recorded_spans({ ...period, resolution_seconds: 10 })
        assert.lengthOf(coarse.cameras[0]?.spans ?? [], 1)

        const { files } = yield* call.get_recorded_files({ device, ...period })
        assert.deepStrictEqual(
          files.map(({ filename }) => filename),
          [...first.files, ...second.files]
        )

        const [file] = files
        const { init_bytes, mime_type, parts, total } = yield* call.get_recording_parts({
          filename: file?.filename ?? ""
        })
        assert.match(mime_type, /^video\/mp4; codecs="avc1\.42/)
        assert.strictEqual(total, parts.length)
        assert.isAtLeast(total, 2)
        const range = (from: number, length: number) =>
          bytesOf(file?.download_url ?? "", { range: `bytes=${from}-${from + length - 1}` })
        const last = parts.at(-1)
        const init = yield* range(0, init_bytes)
        assert.strictEqual(init.status, 206)
        const part = yield* range(last?.offset ?? 0, last?.length ?? 0)
        const piece = contents(Buffer.concat([init.bytes, part.bytes]))
        assert.strictEqual(piece.complaint, "")
        assert.closeTo(piece.pictures, (last?.duration ?? 0) * 25, 1.5)

        const from = new Date(Date.parse(files[0]?.start ?? "") + 2500).toISOString()
        const asked = yield* call.export_recording({ device, from, to: period.to })
        const begun = performance.now()
        const exported = yield* bytesOf(asked.download_url)
        const taken = performance.now() - begun
        assert.strictEqual(exported.status, 200)
        assert.include(exported.headers.get("content-disposition"), `filename="${device}_`)
        const whole = contents(exported.bytes)
        // from the keyframe before, and without the gap
        assert.closeTo(whole.seconds, asked.duration, 1.3, `${taken} ms`)
        assert.isAtLeast(whole.pictures, asked.duration * 25 - 3)
        assert.isBelow(taken, 20_000)

        const seconds = Math.floor(Date.parse(spans[1]?.start ?? "") / 1000)
        const picture = yield* bytesOf(
          `http://127.0.0.1:${service.ground.ports.server}/thumbnails/${device}/${seconds}.jpg`,
          {
            authorization: `Bearer ${token}`
          }
        )
        assert.strictEqual(picture.status, 200)
        assert.strictEqual(picture.bytes.readUInt16BE(0), 0xffd8)
      })
    )

    it.effect("is told while it goes on", () =>
      Effect.gen(function* () {
        const service = yield* SharedService
        const { call } = yield* clientOf(service, { role: "operator" })
        yield* call.start_recording({ device: "camera0" })
        const now = Date.now()
        const period = { from: new Date(now - 1000).toISOString(), to: new Date(now + 60_000).toISOString() }
        const { cameras } = yield* call.get_recorded_spans(period)
        assert.strictEqual(cameras[0]?.spans.at(-1)?.recording, true)
        const { files } = yield* call.get_recorded_files({ device: "camera0", ...period })
        const filename = files.at(-1)?.filename ?? ""
        yield* eventually(
          "its first parts are known",
          Effect.map(Effect.option(call.get_recording_parts({ filename })), ({ _tag }) => _tag === "Some")
        )
        yield* call.stop_recording({ device: "camera0" })
      })
    )
  }
)
