import { assert, describe } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { join } from "node:path"
import { FileIndex } from "../../src/storage/FileIndex.ts"
import { fileName } from "../../src/storage/Names.ts"
import { asTimePasses, step } from "../../testing/PassingTime.ts"
import { TestGround } from "../../testing/TestGround.ts"
import { dataFolder, onFakes } from "../support/App.ts"
import { connectAs } from "./Harness.ts"

interface Answer {
  readonly result?: Readonly<Record<string, unknown>>
  readonly error?: { readonly code: number; readonly data: Readonly<Record<string, unknown>> }
}

/** An admin, who calls while time passes. */
const admin = Effect.map(
  connectAs("admin"),
  (client) =>
    (method: string, params: object = {}) =>
      Effect.map(asTimePasses(client.call({ jsonrpc: "2.0", id: 1, method, params })), (answer) => answer as Answer)
)

/** Recordings of 1970, where the test's clock stands: some seconds old when they are asked for. */
const recordings = Effect.fnUntraced(function* (count: number) {
  const { disk } = yield* TestGround
  for (let i = 0; i < count; i++) {
    disk.outside.write(join(dataFolder, "recordings", fileName("camera0", i * 1000, "mp4")), new Uint8Array(100))
  }
  yield* (yield* FileIndex).reconcile
})

describe("get_storage_info", () => {
  onFakes(
    "tells of the disk and of the files, with what is known beside",
    Effect.gen(function* () {
      const call = yield* admin
      yield* recordings(3)
      const { disk } = yield* TestGround
      yield* disk.suffer({ name: "small", bytes: 2000 })
      const { result } = yield* call("get_storage_info")
      assert.deepInclude(result, {
        total_space: 2000,
        recordings_size: 300,
        snapshots_size: 0,
        low_space_warning: true,
        days_kept: 0,
        retention: "no limit is set for files"
      })
      assert.strictEqual(Number(result?.["used_space"]) + Number(result?.["available_space"]), 2000)
      // less than the reserve is free
      assert.match(String(result?.["full_at"]), /^1970-01-01T/)
    })
  )

  onFakes(
    "says that the disk does not answer",
    Effect.gen(function* () {
      const call = yield* admin
      const { disk } = yield* TestGround
      yield* disk.suffer({ name: "hung", calls: ["space"] })
      const { error } = yield* call("get_storage_info")
      assert.strictEqual(error?.code, -32050)
      assert.deepInclude(error?.data, {
        dependency: "storage",
        detail: "cannot ask the disk for its room: it does not answer"
      })
    })
  )
})

describe("set_retention_policy", () => {
  onFakes(
    "gives the policy back, with what it does, for one camera too; it is told with the disk",
    Effect.gen(function* () {
      const call = yield* admin
      const size = { policy_type: "size", enabled: true, max_size_gb: 1.5 }
      assert.deepEqual((yield* call("set_retention_policy", size)).result, {
        ...size,
        message: "the oldest files are deleted where there is more than 1.5 GB"
      })
      const off = { policy_type: "manual", enabled: false, device: "camera7" }
      assert.deepEqual((yield* call("set_retention_policy", off)).result, {
        ...off,
        message: "files of camera7 are not deleted"
      })
      assert.deepInclude((yield* call("get_storage_info")).result, {
        retention:
          "the oldest files are deleted where there is more than 1.5 GB; files of camera7 are not deleted by themselves"
      })
    })
  )

  onFakes(
    "refuses what says nothing, by the parameter's name",
    Effect.gen(function* () {
      const call = yield* admin
      const { error } = yield* call("set_retention_policy", { policy_type: "age", enabled: true, max_size_gb: 1 })
      assert.strictEqual(error?.code, -32602)
      assert.deepInclude(error?.data, { param: "max_age_days", rule: "there for policy_type age", hint: "such as 30" })
    })
  )
})

describe("cleanup_old_files", () => {
  onFakes(
    "does what a manual policy leaves to it, and says what it did",
    Effect.gen(function* () {
      const call = yield* admin
      yield* recordings(3)
      yield* call("set_retention_policy", { policy_type: "manual", enabled: true, max_age_days: 0.000001 })
      yield* step
      const { disk } = yield* TestGround
      assert.lengthOf(disk.outside.names(join(dataFolder, "recordings")), 3)
      yield* asTimePasses(Effect.sleep("1 second"))
      assert.deepEqual((yield* call("cleanup_old_files")).result, {
        cleanup_executed: true,
        files_deleted: 3,
        space_freed: 300,
        message: "deleted: 3 for their age"
      })
      assert.deepEqual((yield* call("cleanup_old_files")).result, {
        cleanup_executed: true,
        files_deleted: 0,
        space_freed: 0,
        message: "nothing had to be deleted: files older than 0.000001 days are deleted"
      })
    })
  )

  onFakes(
    "does nothing where retention is switched off",
    Effect.gen(function* () {
      const call = yield* admin
      yield* recordings(1)
      yield* call("set_retention_policy", { policy_type: "age", enabled: false })
      assert.deepEqual((yield* call("cleanup_old_files")).result, {
        cleanup_executed: false,
        files_deleted: 0,
        space_freed: 0,
        message: "retention is switched off: set_retention_policy switches it on"
      })
    })
  )
})
