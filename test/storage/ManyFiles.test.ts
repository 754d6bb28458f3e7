import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import { FileIndex } from "../../src/storage/FileIndex.ts"
import { fileName } from "../../src/storage/Names.ts"
import { TestGround } from "../../testing/TestGround.ts"
import { connectAs } from "../rpc/Harness.ts"
import { dataFolder, onTestGround, runFake } from "../support/App.ts"
import { indexed } from "./Workbench.ts"

const count = 100_000
/** what was written a moment ago stays */
const day = 86_400_000

/** All are too many, and so many calls in a second of a clock that stands still are not. */
const settings = {
  storage: { max_size_gb: 5e-10 },
  limits: { connection_requests_per_second: 1_000_000, user_requests_per_second: 1_000_000 }
}

/** So many turns of Node's event loop, in each of which a file goes. */
const turns = (count: number) =>
  Effect.promise(async () => {
    for (let n = 0; n < count; n++) await new Promise<void>((resolve) => setImmediate(resolve))
  })

describe("100,000 files", () => {
  it.effect(
    "are deleted while calls are answered, each within a few turns of the event loop",
    () =>
      Effect.gen(function* () {
        const { disk } = yield* TestGround
        const index = yield* FileIndex
        for (let n = 0; n < count; n++) {
          const filename = fileName(`camera${n % 4}`, n, "mp4")
          yield* index.put(indexed({ filename, device: `camera${n % 4}`, created: n - day, modified: n - day }))
          disk.outside.write(`${dataFolder}/recordings/${filename}`, new Uint8Array(1))
        }
        const [admin, viewer] = [yield* connectAs("admin"), yield* connectAs("viewer")]
        const left = Effect.map(index.totals("recording"), ({ files }) => files)
        assert.strictEqual(yield* left, count)

        const cleaning = yield* Effect.forkChild(admin.call({ jsonrpc: "2.0", id: 1, method: "cleanup_old_files" }), {
          startImmediately: true
        })
        const calls = [
          { method: "get_camera_list" },
          { method: "list_recordings", params: { limit: 10 } },
          { method: "get_system_status" }
        ]
        const log = yield* disk.calls
        let answered = 0
        let slowest = 0
        let most = 0
        while (cleaning.pollUnsafe() === undefined) {
          const before = log.length
          const asked = { jsonrpc: "2.0", id: answered, ...calls[answered % calls.length] }
          const call = yield* Effect.forkChild(viewer.call(asked), { startImmediately: true })
          let waited = 0
          for (; call.pollUnsafe() === undefined; waited++) yield* turns(1)
          assert.property(yield* Fiber.join(call), "result")
          answered++
          slowest = Math.max(slowest, waited)
          most = Math.max(most, log.length - before)
          yield* turns(50)
        }
        const cleaned = yield* Fiber.join(cleaning)
        assert.include(JSON.stringify(cleaned), `"files_deleted":${count}`)
        assert.strictEqual(yield* left, 0)
        assert.isAbove(answered, 1000)
        assert.isAtMost(slowest, 10)
        assert.isAtMost(most, 100)
      }).pipe((body) => onTestGround(runFake(dataFolder, body, settings))),
    // 10 s on an idle machine, and many times that on a busy one
    600_000
  )
})
