import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import { execFileSync } from "node:child_process"
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { CameraClient } from "../../schema/client/CameraClient.ts"
import { clientOf, startReady } from "../support/Service.ts"

/**
 * What an early packaged program left in its data folder, and a key that it made (test/torture/upgrade.test.ts keeps it).
 * For who finds them with a scanner for secrets: key, jwt_secret and password were made for this, and open nothing.
 */
const kept = join(import.meta.dirname, "../fixtures/older.tar.gz")

it.live("a data folder of an early packaged program is opened as it is: names, files, keys, policies", () =>
  Effect.gen(function* () {
    const folder = yield* Effect.acquireRelease(
      Effect.sync(() => mkdtempSync(join(tmpdir(), "camera-service-older-"))),
      (made) => Effect.sync(() => rmSync(made, { recursive: true, force: true }))
    )
    execFileSync("tar", ["-xzf", kept, "-C", folder])
    const service = yield* startReady({ folder })
    const { call } = yield* clientOf(service, { role: "admin" })
    const { cameras } = yield* call.get_camera_list({})
    assert.deepStrictEqual(
      cameras.map(({ device, name }) => `${device} ${name}`),
      ["camera0 Synthetic camera 0", "camera1 Synthetic camera 1", "camera2 Gate"]
    )
    const { files } = yield* call.list_recordings({})
    assert.lengthOf(files, 1)
    const { codec, duration } = yield* call.get_recording_info({ filename: files[0]?.filename ?? "" })
    assert.strictEqual(codec, "h264")
    assert.isAbove(duration, 1)
    const snapshots = yield* call.list_snapshots({})
    assert.deepStrictEqual(
      snapshots.files.map(({ device, filename }) => ({ device, filename })),
      [{ device: "camera0", filename: "before.jpg" }]
    )
    assert.include((yield* call.cleanup_old_files({})).message, "3650 days")
    const { keys } = yield* call.list_api_keys({})
    // one that was taken back is not listed for ever
    assert.deepStrictEqual(
      keys.filter(({ status }) => status === "ACTIVE").map(({ description }) => description),
      ["of before"]
    )
    const key = Redacted.make(readFileSync(join(folder, "key"), "utf8"))
    const viewer = yield* CameraClient.make({ url: service.url, token: key })
    assert.strictEqual((yield* viewer.call.get_camera_list({})).total, 3)
    // nobody had to look into the files again, and the older program may have its index back
    assert.notInclude(service.stderr(), "the file index is new")
    assert.isTrue(existsSync(join(folder, "index.sqlite.before")))
  })
)
