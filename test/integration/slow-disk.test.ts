import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { mkdtempSync, rmSync } from "node:fs"
import { join } from "node:path"
import { median } from "../../scripts/benchmarks/Statistics.ts"
import { monotonicMillis } from "../../src/ground/Time.ts"
import { mountLoggedDisk, whyNoLoggedDisk } from "../power/LoggedDisk.ts"
import { eventually } from "../support/Eventually.ts"
import { connect } from "../support/PlainClient.ts"
import { signal } from "../support/Processes.ts"
import { makeGround, ready, start } from "../support/Service.ts"

const reason = whyNoLoggedDisk()

it.live(
  "a disk that hangs while two cameras record delays no reply",
  (context) =>
    Effect.gen(function* () {
      if (reason !== undefined) return context.skip(reason)
      const root = yield* Effect.acquireRelease(
        Effect.sync(() => mkdtempSync("/dev/shm/camera-slow-")),
        (folder) => Effect.sync(() => rmSync(folder, { recursive: true, force: true }))
      )
      const disk = yield* mountLoggedDisk(root, 64)
      const service = yield* start(yield* makeGround({ folder: join(disk.folder, "data") }))
      yield* ready(service)
      const token = yield* service.token({ role: "admin" })
      const client = yield* connect(service.url, token)
      for (const device of ["camera0", "camera1"]) yield* client.result("start_recording", { device })
      yield* Effect.acquireRelease(
        Effect.sync(() => signal(disk.pid, "SIGSTOP")),
        () => Effect.sync(() => signal(disk.pid, "SIGCONT"))
      )
      // beside: their files, or what they leave behind them, wait for the disk
      const writer = yield* connect(service.url, token)
      yield* Effect.forkScoped(writer.call("take_snapshot", { device: "camera0" }))
      yield* Effect.forkScoped(writer.call("create_api_key", { role: "viewer" }))
      const asked = [
        ["ping", {}],
        ["get_camera_list", {}],
        ["get_stream_status", { device: "camera0" }],
        ["list_recordings", {}],
        ["list_snapshots", {}],
        ["get_status", {}]
      ] as const
      const took = asked.map((): Array<number> => [])
      for (let round = 0; round < 20; round++) {
        for (const [at, [method, params]] of asked.entries()) {
          const before = yield* monotonicMillis
          const reply = yield* Effect.timeoutOption(client.call(method, params), "10 seconds")
          assert.strictEqual(reply._tag, "Some", `${method} in round ${round}`)
          took[at]?.push((yield* monotonicMillis) - before)
        }
        yield* Effect.sleep("150 millis")
      }
      // a busy machine keeps some of them waiting, a disk that is waited for all of them
      for (const [at, [method]] of asked.entries()) assert.isBelow(median(took[at] ?? []), 1000, method)
      signal(disk.pid, "SIGCONT")
      for (const device of ["camera0", "camera1"]) {
        yield* eventually(
          "it is stopped",
          Effect.map(client.call("stop_recording", { device }), ({ error }) => error === undefined)
        )
      }
    }),
  120_000
)
