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

/** An admin, of all cameras or of these, who calls while time passes. */
const adminOf = (cameras?: ReadonlyArray<string>) =>
  Effect.map(
    connectAs("admin", cameras),
    (client) =>
      (method: string, params: object = {}) =>
        Effect.map(asTimePasses(client.call({ jsonrpc: "2.0", id: 1, method, params })), (answer) => answer as Answer)
  )
const admin = adminOf()

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

describe("an admin of some cameras", () => {
  onFakes(
    "sees how large their files are, and nothing that tells of others'",
    Effect.gen(function* () {
      yield* recordings(3)
      const [mine, others] = [yield* adminOf(["camera0"]), yield* adminOf(["camera1*"])]
      const { result } = yield* mine("get_storage_info")
      assert.deepInclude(result, { recordings_size: 300, snapshots_size: 0 })
      const small = (yield* others("get_storage_info")).result ?? {}
      assert.deepInclude(small, { recordings_size: 0, snapshots_size: 0 })
      assert.isAbove(Number(small["total_space"]), 0)
      for (const name of ["days_kept", "bytes_per_day", "full_at", "retention"]) assert.notProperty(small, name)
    })
  )

  onFakes(
    "may not clean up, which deletes files of all",
    Effect.gen(function* () {
      const call = yield* adminOf(["camera0", "camera1*"])
      const { error } = yield* call("cleanup_old_files")
      assert.strictEqual(error?.code, -32002)
      const data = { required_role: "admin of all cameras", have_role: "admin of camera0, camera1*" }
      assert.include(error?.data, data)
    })
  )
})

describe("set_retention_policy", () => {
  onFakes(
    "says after 10 s that the disk does not answer, and is in force once it has",
    Effect.gen(function* () {
      const call = yield* admin
      const { disk } = yield* TestGround
      const { takeBack } = yield* disk.suffer({ name: "hung", calls: ["sync"], at: "/data/.tmp-" })
      const policy = { policy_type: "age", max_age_days: 7, enabled: true }
      for (let i = 0; i < 2; i++) {
        const { error } = yield* call("set_retention_policy", policy)
        assert.deepInclude(error?.data, {
          dependency: "storage",
          detail: "cannot set the retention policy: the disk does not answer"
        })
      }
      yield* takeBack
      const { result } = yield* call("get_storage_info")
      assert.strictEqual(result?.["retention"], "files older than 7 days are deleted")
      assert.notProperty(yield* call("set_retention_policy", policy), "error")
    })
  )

  onFakes(
    "is for a camera that there is, or that has left files",
    Effect.gen(function* () {
      const call = yield* admin
      const policy = { policy_type: "age", enabled: true, max_age_days: 7, device: "camera0" }
      const { error } = yield* call("set_retention_policy", policy)
      assert.strictEqual(error?.code, -32010)
      assert.include(error?.data, { resource: "camera", id: "camera0" })
      yield* recordings(1)
      assert.deepInclude((yield* call("set_retention_policy", policy)).result, policy)
    })
  )

  onFakes(
    "gives the policy back, with what it does, for one camera too; it is told with the disk",
    Effect.gen(function* () {
      const call = yield* admin
      const size = { policy_type: "size", enabled: true, max_size_gb: 1.5 }
      assert.deepEqual((yield* call("set_retention_policy", size)).result, {
        ...size,
        message: "the oldest files are deleted where there is more than 1.5 GB"
      })
      yield* recordings(1)
      const off = { policy_type: "manual", enabled: false, device: "camera0" }
      assert.deepEqual((yield* call("set_retention_policy", off)).result, {
        ...off,
        message: "files of camera0 are not deleted"
      })
      assert.deepInclude((yield* call("get_storage_info")).result, {
        retention:
          "the oldest files are deleted where there is more than 1.5 GB; files of camera0 are not deleted by themselves",
        max_size_gb: 1.5
      })
      yield* call("set_retention_policy", { policy_type: "age", enabled: true, max_age_days: 7 })
      const byAge = (yield* call("get_storage_info")).result ?? {}
      assert.strictEqual(byAge["max_age_days"], 7)
      assert.notProperty(byAge, "max_size_gb")
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
        message: "retention is switched off: a new rule switches it on"
      })
    })
  )
})
