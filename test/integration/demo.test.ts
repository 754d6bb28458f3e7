import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { spawnSync } from "node:child_process"
import { join } from "node:path"
import { makeGround } from "../support/Service.ts"

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
    assert.match(stderr, /no-ffmpeg .*\n +-> apt-get install ffmpeg$/m)
    assert.match(stderr, /no-mediamtx .*\n +-> .*github\.com\/bluenviron\/mediamtx\/releases/m)
    assert.deepEqual(processes(), [])
  })
)
