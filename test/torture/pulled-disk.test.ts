import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { median, round } from "../../scripts/benchmarks/Statistics.ts"
import { monotonicMillis } from "../../src/ground/Time.ts"
import { fractions } from "../../testing/Chance.ts"
import { lookAfter } from "../power/AfterCut.ts"
import { conclusive, mostLost, tooLate } from "../power/Conclusive.ts"
import { lateSeconds } from "../power/History.ts"
import { live } from "../power/Life.ts"
import { mountImage, mountLoggedDisk, whyNoLoggedDisk } from "../power/LoggedDisk.ts"
import type { PlainClient } from "../support/PlainClient.ts"
import { signal } from "../support/Processes.ts"
import { type Service, statusOf } from "../support/Service.ts"

const seeds = 10
const megabytes = 48

const temporaryFolder = Effect.acquireRelease(
  Effect.sync(() => mkdtempSync("/dev/shm/camera-pulled-")),
  (folder) => Effect.sync(() => rmSync(folder, { recursive: true, force: true, maxRetries: 5 }))
)

/** What needs no disk, or has to say that there is none. */
const asked = [
  ["ping", {}],
  ["get_camera_list", {}],
  ["get_status", {}],
  ["list_recordings", {}],
  ["take_snapshot", { device: "camera1" }],
  ["start_recording", { device: "camera3" }],
  ["create_api_key", { role: "viewer" }]
] as const

/** Each is answered, and nothing is said to be done that would have to be on the disk. */
const staysAnswering = Effect.fnUntraced(function* (service: Service, client: PlainClient) {
  const took = asked.map((): Array<number> => [])
  for (let round = 0; round < 4; round++) {
    for (const [at, [method, params]] of asked.entries()) {
      const before = yield* monotonicMillis
      const reply = yield* Effect.timeoutOption(client.call(method, params), "60 seconds")
      assert.strictEqual(reply._tag, "Some", `${method} in round ${round}`)
      took[at]?.push((yield* monotonicMillis) - before)
    }
    assert.strictEqual(yield* statusOf(`${service.health}/health/live`), 200)
    yield* Effect.sleep("1 second")
  }
  // a busy machine keeps one of them waiting, a disk that is waited for all of them
  for (const [at, [method]] of asked.entries()) assert.isBelow(median(took[at] ?? []), 10_000, method)
  const { error } = yield* client.call("create_api_key", { role: "viewer" })
  assert.strictEqual(error?.code, -32_050)
  const { reasons } = yield* client.result<{ readonly reasons: ReadonlyArray<string> }>("get_status")
  assert.isNotEmpty(reasons)
  yield* service.kill("SIGTERM")
  yield* service.ended
})

describe.skipIf(whyNoLoggedDisk() !== undefined)(
  "a disk that is pulled out at any moment (every call fails from then on)",
  () => {
    for (let seed = 1; seed <= seeds; seed++) {
      it.live(
        `is told, stops no service, and has on it what was acknowledged before (${seed})`,
        () =>
          Effect.gen(function* () {
            const seconds = 3 + 4 * fractions(seed)()
            const life = Effect.gen(function* () {
              const disk = yield* mountLoggedDisk(yield* temporaryFolder, megabytes)
              const pull = Effect.sync(() => signal(disk.pid, "SIGKILL"))
              return { history: yield* live(disk, { seconds, pull, after: staysAnswering }), image: disk.image() }
            })
            const { history, image } = yield* conclusive(Effect.scoped(life), (lived) => tooLate(lived.history))
            const root = yield* temporaryFolder
            const [file, folder] = [join(root, "left"), join(root, "left.mounted")]
            writeFileSync(file, image)
            yield* mountImage(file, folder)
            const { broken, lostSeconds } = yield* lookAfter(join(folder, "data"), history, { at: history.end })
            yield* Effect.logInfo(`pulled out after ${round(seconds)} s: ${round(lostSeconds)} s lost`)
            assert.deepEqual(broken, [])
            assert.isAtMost(lostSeconds, mostLost + lateSeconds(history))
          }),
        300_000
      )
    }
  }
)
