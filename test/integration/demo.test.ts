import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { execFile } from "node:child_process"
import { join } from "node:path"
import { promisify } from "node:util"
import { makeGround } from "../support/Service.ts"

const tour = join(import.meta.dirname, "../../scripts/demo.ts")

it.live(
  "the demo makes its whole tour, and leaves no process behind",
  () =>
    Effect.gen(function* () {
      const { environment, processes } = yield* makeGround()
      const { stdout } = yield* Effect.promise(() =>
        promisify(execFile)(process.execPath, [tour, "--once"], {
          env: { ...process.env, ...environment },
          timeout: 60_000
        })
      )
      assert.match(stdout, /^ {2}ready +in \d+ ms$/m)
      assert.match(stdout, /^ {2}idle camera +tier 2 \(activated\)/m)
      assert.match(stdout, /^ {2}on disk +[\d.]+ s of h264/m)
      assert.match(stdout, /^ {2}rpc take_snapshot +[\d.]+ ms$/m)
      assert.deepEqual(processes(), [])
    }),
  90_000
)
