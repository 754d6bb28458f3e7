import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { execFile, spawn, spawnSync } from "node:child_process"
import { join } from "node:path"
import { promisify } from "node:util"
import { openPage } from "../support/browser/Browser.ts"
import { eventually } from "../support/Eventually.ts"
import { connect } from "../support/PlainClient.ts"
import { makeGround, ready, start } from "../support/Service.ts"

// the tour itself is made from the package (package.test.ts)
const tour = join(import.meta.dirname, "../../scripts/demo.ts")

it.live("the demo says what is missing, and how to get it, where the service cannot start", () =>
  Effect.gen(function* () {
    const { environment, processes } = yield* makeGround()
    const without = { CAMERA_SERVICE_FFMPEG_BINARY: "no-ffmpeg", CAMERA_SERVICE_MEDIAMTX_BINARY: "no-mediamtx" }
    const { status, stderr } = spawnSync(process.execPath, [tour, "--once"], {
      env: { ...process.env, ...environment, ...without },
      encoding: "utf8"
    })
    assert.strictEqual(status, 1)
    assert.match(stderr, /^demo: FAILED: the service ended with status 69$/m)
    assert.match(stderr, /^ {2}\S+: no-ffmpeg .*\n +-> apt-get install ffmpeg$/m)
    assert.match(stderr, /no-mediamtx .*\n +-> .*github\.com\/bluenviron\/mediamtx\/releases/m)
    assert.deepEqual(processes(), [])
  })
)

it.live("the demo's help is printed, and an option that there is not is refused, and nothing is started", () =>
  Effect.gen(function* () {
    const { environment, processes } = yield* makeGround()
    const demo = (option: string) =>
      spawnSync(process.execPath, [tour, option], { env: { ...process.env, ...environment }, encoding: "utf8" })
    const asked = demo("--help")
    assert.strictEqual(asked.status, 0)
    assert.include(asked.stdout, "--once")
    const refused = demo("--twice")
    assert.strictEqual(refused.status, 64)
    assert.include(refused.stderr, "'--twice'")
    assert.deepEqual(processes(), [])
  })
)

it.live("the demo beside a service that has its ports says so, and does not take that one for its own", () =>
  Effect.gen(function* () {
    const ground = yield* makeGround()
    const service = yield* start(ground)
    yield* ready(service)
    const env = { ...process.env, ...ground.environment, CAMERA_SERVICE_DATA_DIR: `${ground.folder}/other` }
    const { status, stderr } = spawnSync(process.execPath, [tour, "--once"], { env, encoding: "utf8" })
    assert.strictEqual(status, 1)
    assert.match(stderr, /^demo: FAILED: the service ended with status 69\n +port \d+ on 127\.0\.0\.1 is in use/m)
  })
)

/** What ffprobe finds at an address, given as it stands. */
const codecAt = (url: string) =>
  Effect.promise(async () => {
    const show = ["-v", "error", "-select_streams", "v", "-show_entries", "stream=codec_name", "-of", "csv=p=0"]
    const { stdout } = await promisify(execFile)("ffprobe", [...show, url])
    return stdout.trim().split("\n")[0]
  })

/** In a page: its video has got on. */
const plays = () => (document.querySelector("video")?.currentTime ?? 0) > 0

it.live(
  "each address that the demo prints opens as it stands, and what shows a camera plays",
  () =>
    Effect.gen(function* () {
      const { environment, processes } = yield* makeGround()
      let said = ""
      const demo = yield* Effect.acquireRelease(
        Effect.sync(() => spawn(process.execPath, [tour], { env: { ...process.env, ...environment } })),
        (running) =>
          Effect.callback<void>((resume) => {
            if (running.exitCode !== null || running.signalCode !== null) return resume(Effect.void)
            running.once("exit", () => resume(Effect.void))
            running.kill("SIGINT")
          })
      )
      for (const told of [demo.stdout, demo.stderr]) {
        told.setEncoding("utf8").on("data", (text: string) => void (said += text))
      }
      yield* eventually(
        "it serves",
        Effect.sync(() => {
          assert.isNull(demo.exitCode, said)
          return /^ {2}TOKEN .*\n/m.test(said)
        }),
        120_000
      )
      const printed = (label: string) => new RegExp(`^ {2}${label} +(\\S+)$`, "m").exec(said)?.[1] ?? ""
      for (const label of ["RTSP", "HLS"]) assert.strictEqual(yield* codecAt(printed(label)), "h264", label)
      const page = yield* openPage
      for (const label of ["in a browser", "console"]) {
        yield* Effect.promise(() => page.goto(printed(label)))
        yield* Effect.promise(() => page.waitForFunction(plays))
      }
      assert.isTrue(yield* Effect.promise(async () => (await fetch(printed("health"))).ok))
      const client = yield* connect(printed("JSON-RPC"), printed("TOKEN"))
      assert.include(yield* client.result("get_camera_list"), { total: 2 })
      demo.kill("SIGINT")
      yield* eventually(
        "it has ended",
        Effect.sync(() => demo.exitCode === 0)
      )
      assert.deepEqual(processes(), [])
    }),
  180_000
)
