import { assert, describe } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import * as SubscriptionRef from "effect/SubscriptionRef"
import { FileIndex } from "../../src/storage/FileIndex.ts"
import { asTimePasses } from "../../testing/PassingTime.ts"
import { TestGround } from "../../testing/TestGround.ts"
import { indexed } from "../storage/Workbench.ts"
import { dataFolder, disturbWork, onFakes } from "../support/App.ts"
import { avc1, box, start, trak } from "../support/FragmentedMp4.ts"
import { children, running, until } from "../support/Ground.ts"
import { connect, resultOf, token } from "../support/RpcVisitor.ts"
import { bearer, come, visit } from "../support/StreamVisitor.ts"

const began = Date.UTC(2026, 0, 2, 3, 4)
const period = { from: "2026-01-02T03:04:00Z", to: "2026-01-02T03:05:30Z" }
const target = `/export/camera0?from=${period.from}&to=${period.to}`

/** It begins as an MP4, and has nothing in it. */
const mp4 = Buffer.alloc(100)
mp4.write("ftyp", 4, "latin1")

/** Two minutes of each of two cameras. */
const recorded = Effect.gen(function* () {
  const { disk } = yield* TestGround
  const index = yield* FileIndex
  for (const device of ["camera0", "camera1"]) {
    for (const minute of [0, 1]) {
      const created = began + minute * 60_000
      const filename = `${device}_${minute}.mp4`
      disk.outside.write(`${dataFolder}/recordings/${filename}`, mp4)
      yield* index.put(indexed({ filename, device, bytes: 100, created, modified: created + 60_000, duration: 60 }))
    }
  }
})

describe("an export", () => {
  onFakes(
    "is one MP4 of all that was recorded of a camera in a time, by a header, or by a URL that is for it alone",
    Effect.gen(function* () {
      yield* recorded
      const shown = yield* token({ role: "viewer", timeToLive: Duration.hours(1) })
      const whole = yield* visit({ target, headers: bearer(shown) })
      assert.strictEqual(whole.status, 200)
      assert.strictEqual(whole.text, "an MP4")
      assert.strictEqual(whole.headers["content-type"], "video/mp4")
      assert.strictEqual(
        whole.headers["content-disposition"],
        'attachment; filename="camera0_2026-01-02_03-04-00_to_2026-01-02_03-05-30.mp4"'
      )
      const call = yield* connect(shown)
      const made = resultOf<{ readonly download_url: string; readonly duration: number }>(
        yield* call("export_recording", { device: "camera0", ...period })
      )
      assert.strictEqual(made.duration, 90)
      const { pathname, search } = new URL(made.download_url)
      assert.deepInclude(yield* visit({ target: pathname + search }), { status: 200, text: "an MP4" })
      for (const other of [
        pathname.replace("camera0", "camera1") + search,
        pathname + search.replace("05%3A30", "05%3A31").replace("05:30", "05:31")
      ]) {
        assert.include([403, 404], (yield* visit({ target: other })).status, other)
      }
    })
  )

  onFakes(
    "is refused with a reason: to strangers, of a camera that may not be seen, of nothing, and of no time",
    Effect.gen(function* () {
      yield* recorded
      const shown = bearer(yield* token({ role: "viewer" }))
      const scoped = bearer(yield* token({ role: "viewer", cameras: ["camera1"] }))
      const rows = [
        [target, {}, 401],
        [target, bearer("wrong"), 401],
        [`${target}&signed=wrong`, {}, 403],
        [target, scoped, 404],
        [target.replace("camera0", "camera9"), shown, 404],
        [target.replace("camera0", "..%2fcamera0"), shown, 404],
        [target.replaceAll("2026", "2027"), shown, 404],
        ["/export/camera0", shown, 400],
        ["/export/camera0?from=yesterday&to=now", shown, 400],
        [`/export/camera0?from=${period.to}&to=${period.from}`, shown, 400],
        [`/export/camera0?from=2024-01-01T00:00:00Z&to=${period.to}`, shown, 400],
        [`/export/camera0?from=2026-02-31T00:00:00Z&to=${period.to}`, {}, 401]
      ] as const
      for (const [asked, headers, status] of rows) {
        const said = yield* visit({ target: asked, headers })
        assert.strictEqual(said.status, status, asked)
        assert.isDefined(said.error?.code, asked)
        assert.isString(said.error?.data[status === 400 ? "hint" : "suggestion"], asked)
      }
      assert.strictEqual((yield* visit({ method: "POST", target, headers: shown })).status, 405)
    })
  )

  onFakes(
    "has nothing of a file that is none, which may be a playlist of another camera's",
    Effect.gen(function* () {
      yield* recorded
      const { disk } = yield* TestGround
      for (const minute of [0, 1]) {
        const path = `${dataFolder}/recordings/camera0_${minute}.mp4`
        disk.outside.remove(path)
        disk.outside.write(path, new TextEncoder().encode("ffconcat version 1.0\nfile camera1_0.mp4\n"))
      }
      const { status } = yield* visit({ target, headers: bearer(yield* token({})) })
      assert.strictEqual(status, 404)
    })
  )

  onFakes(
    "has the sound where all its files have the same, and pictures alone where one has none",
    Effect.gen(function* () {
      yield* recorded
      const { disk } = yield* TestGround
      const headers = bearer(yield* token({}))
      const sounds = Effect.map(children("export"), (all) => all.at(-1)?.args.includes("0:a:0?"))
      const opus = box("Opus", Buffer.alloc(28), box("dOps", Buffer.alloc(11)))
      for (const [minutes, expected] of [
        [[0], false],
        [[0, 1], true]
      ] as const) {
        for (const minute of minutes) {
          const path = `${dataFolder}/recordings/camera0_${minute}.mp4`
          disk.outside.remove(path)
          disk.outside.write(path, start(trak(1, "vide", avc1), trak(2, "soun", opus)))
        }
        assert.strictEqual((yield* visit({ target, headers })).status, 200)
        assert.strictEqual(yield* sounds, expected)
      }
    })
  )

  onFakes(
    "ends with whoever asked for it, FFmpeg too, and when one of its files is deleted",
    Effect.gen(function* () {
      yield* recorded
      yield* disturbWork({ export: "hangs" })
      const { visitors } = yield* TestGround
      const admin = yield* token({})
      const headers = bearer(admin)
      const runs = Effect.map(running("export"), (all) => all.length)
      yield* Effect.scoped(
        Effect.gen(function* () {
          const { status } = yield* visitors.ask(8002, { target, headers })
          assert.strictEqual(status, 200)
          assert.strictEqual(yield* runs, 1)
        })
      )
      yield* until(
        "FFmpeg is gone",
        Effect.map(runs, (count) => count === 0)
      )
      const { body } = yield* visitors.ask(8002, { target, headers })
      const call = yield* connect(admin)
      resultOf(yield* call("delete_recording", { filename: "camera0_1.mp4" }))
      assert.strictEqual((yield* Effect.flip(Stream.runDrain(body)))._tag, "CutOff")
    })
  )

  onFakes(
    "that FFmpeg fails at breaks off, so that no part passes for the whole",
    Effect.gen(function* () {
      yield* recorded
      yield* disturbWork({ export: { error: "Invalid data found when processing input" } })
      const { visitors } = yield* TestGround
      const { body } = yield* visitors.ask(8002, { target, headers: bearer(yield* token({})) })
      assert.strictEqual((yield* Effect.flip(Stream.runDrain(body)))._tag, "CutOff")
    })
  )
})

describe("a thumbnail", () => {
  const seconds = began / 1000
  const picture = `/thumbnails/camera0/${seconds + 13}.jpg`

  onFakes(
    "shows what was recorded then, and is made once for ten seconds",
    Effect.gen(function* () {
      yield* recorded
      const headers = bearer(yield* token({ role: "viewer", timeToLive: Duration.hours(1) }))
      const made = yield* come({ target: picture, headers })
      assert.strictEqual(made.status, 200)
      assert.strictEqual(made.headers["content-type"], "image/jpeg")
      const { programs } = yield* TestGround
      const started = Effect.map(SubscriptionRef.get(programs.processes), ({ length }) => length)
      const before = yield* started
      for (const after of [10, 19]) {
        const same = yield* visit({ target: `/thumbnails/camera0/${seconds + after}.jpg`, headers })
        assert.deepStrictEqual(same.text, made.text)
      }
      assert.strictEqual(yield* started, before)
      const call = yield* connect(yield* token({}))
      resultOf(yield* call("delete_recording", { filename: "camera0_0.mp4" }))
      assert.strictEqual((yield* visit({ target: picture, headers })).status, 404)
    })
  )

  onFakes(
    "is refused where the disk fails, and FFmpeg does not try it too",
    Effect.gen(function* () {
      yield* recorded
      const { disk, programs } = yield* TestGround
      const started = Effect.map(SubscriptionRef.get(programs.processes), ({ length }) => length)
      const before = yield* started
      yield* disk.suffer({ name: "no reads" })
      const { status } = yield* visit({ target: picture, headers: bearer(yield* token({ role: "viewer" })) })
      assert.strictEqual(status, 503)
      assert.strictEqual(yield* started, before)
    })
  )

  onFakes(
    "is made once for all who ask for it at the same time",
    Effect.gen(function* () {
      yield* recorded
      const headers = bearer(yield* token({ role: "viewer", timeToLive: Duration.hours(1) }))
      const made = Effect.map(children("direct"), ({ length }) => length)
      const before = yield* made
      const targets = [10, 11, 19].map((after) => `/thumbnails/camera0/${seconds + after}.jpg`)
      const asked = Effect.forEach(targets, (target) => visit({ target, headers }), { concurrency: "unbounded" })
      const said = yield* asTimePasses(asked)
      assert.deepStrictEqual(
        said.map(({ status }) => status),
        [200, 200, 200]
      )
      assert.strictEqual((yield* made) - before, 1)
    })
  )

  onFakes(
    "is refused to strangers, and of a camera or a time that there is none of",
    Effect.gen(function* () {
      yield* recorded
      const shown = bearer(yield* token({ role: "viewer" }))
      const rows = [
        [picture, {}, 401],
        [picture, bearer("wrong"), 401],
        [picture, bearer(yield* token({ role: "viewer", cameras: ["camera1"] })), 404],
        ["/thumbnails/camera0/1.jpg", shown, 404],
        ["/thumbnails/camera0/99999999999.jpg", shown, 404],
        ["/thumbnails/camera0/..%2f1.jpg", shown, 404],
        ["/thumbnails/camera0/1e9.jpg", shown, 404]
      ] as const
      for (const [target, headers, status] of rows) {
        assert.strictEqual((yield* visit({ target, headers })).status, status, target)
      }
      assert.strictEqual((yield* visit({ method: "DELETE", target: picture, headers: shown })).status, 405)
    })
  )
})
