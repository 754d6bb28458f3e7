import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { spawnSync } from "node:child_process"
import { join } from "node:path"
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
