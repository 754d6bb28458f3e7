import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { execFile } from "node:child_process"
import { readFileSync, rmSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { promisify } from "node:util"
import { startReady } from "../support/Service.ts"

const root = join(import.meta.dirname, "../..")

it.live(
  "the README's client example does what it seems to do",
  () =>
    Effect.gen(function* () {
      const service = yield* startReady()
      const token = yield* service.token({ role: "operator" })
      const [, example = ""] = /```ts\n([^]*?)```/.exec(readFileSync(join(root, "README.md"), "utf8")) ?? []
      // inside the package, so that its name leads to it
      const file = join(root, "dist", "readme-example.ts")
      yield* Effect.acquireRelease(
        Effect.sync(() => writeFileSync(file, example)),
        () => Effect.sync(() => rmSync(file))
      )
      const env = { ...process.env, CAMERA_URL: service.url, CAMERA_TOKEN: token }
      const { stdout } = yield* Effect.promise(() =>
        promisify(execFile)(process.execPath, [file], { env, timeout: 30_000 })
      )
      assert.match(stdout, /^camera0 activated \d+ \/files\/snapshots\/camera0_.*\.jpg$/m)
      assert.match(stdout, /^camera1 activated \d+ \/files\/snapshots\/camera1_.*\.jpg$/m)
    }),
  60_000
)
