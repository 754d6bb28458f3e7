import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { execFileSync } from "node:child_process"
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { copyName } from "../../src/storage/FileIndex.ts"
import { clientOf, type Ground, makeGround, ready, run, start } from "../support/Service.ts"

const done = Effect.fnUntraced(function* (ground: Ground, ...args: ReadonlyArray<string>) {
  const command = yield* run(ground, { args })
  const { code } = yield* command.ended
  return { code, said: command.stderr() }
})
const textIn = (ground: Ground, name: string) => readFileSync(join(ground.folder, name), "utf8")

it.live(
  "a backup of a service that runs makes another box the same, and what was there before is kept",
  () =>
    Effect.gen(function* () {
      const box = yield* makeGround({ cameras: 1 })
      const service = yield* start(box)
      yield* ready(service)
      const admin = yield* clientOf(service, { role: "admin" })
      yield* admin.call.take_snapshot({ device: "camera0", filename: "kept.jpg" })
      yield* admin.call.set_retention_policy({ policy_type: "age", enabled: true, max_age_days: 7 })
      const { key_id } = yield* admin.call.create_api_key({ role: "viewer", description: "of before" })
      const file = join(box.folder, "box.backup")
      const made = yield* done(box, "backup", file)
      assert.strictEqual(made.code, 0, made.said)
      assert.strictEqual(statSync(file).mode & 0o777, 0o600)
      assert.isFalse(existsSync(join(box.folder, copyName)))
      const again = yield* done(box, "backup", file)
      assert.strictEqual(again.code, 73, again.said)
      // of a service that runs nothing is put back
      const secret = textIn(box, "secrets/jwt_secret")
      const refused = yield* done(box, "restore", file)
      assert.strictEqual(refused.code, 69)
      assert.include(refused.said, "is in use by another camera-service")

      const other = yield* makeGround({ cameras: 1 })
      const first = yield* start(other)
      yield* ready(first)
      yield* first.kill("SIGTERM")
      yield* first.ended
      const own = textIn(other, "secrets/jwt_secret")
      const restored = yield* done(other, "restore", file)
      assert.strictEqual(restored.code, 0, restored.said)
      assert.strictEqual(textIn(other, "secrets/jwt_secret"), secret)
      // the index knows of a picture that is not here: it is brought to what is
      const second = yield* start(other)
      yield* ready(second)
      const there = yield* clientOf(second, { role: "admin" })
      assert.include(
        (yield* there.call.list_api_keys({})).keys.map((key) => key.key_id),
        key_id
      )
      assert.include(textIn(other, "retention.json"), `"max_age_days": 7`)
      yield* second.kill("SIGTERM")
      yield* second.ended

      // and back; the file that was kept is a backup, too
      const kept = readdirSync(other.folder).find((name) => name.startsWith("before-restore-")) ?? ""
      const back = yield* done(other, "restore", join(other.folder, kept))
      assert.strictEqual(back.code, 0, back.said)
      assert.strictEqual(textIn(other, "secrets/jwt_secret"), own)
      assert.isFalse(existsSync(join(other.folder, "retention.json")))

      const bytes = readFileSync(file)
      for (const [name, broken] of [
        ["cut", bytes.subarray(0, bytes.length - 20)],
        ["text", Buffer.from("nothing that was packed")]
      ] as const) {
        writeFileSync(join(other.folder, name), broken)
        const { code, said } = yield* done(other, "restore", join(other.folder, name))
        assert.strictEqual(code, 65, said)
        assert.strictEqual(textIn(other, "secrets/jwt_secret"), own)
      }
      // tar knows it
      const names = execFileSync("tar", ["-tzf", file], { encoding: "utf8" })
      for (const name of ["backup.json", "retention.json", "secrets/api_keys.json", "index.sqlite"]) {
        assert.include(names.split("\n"), name)
      }
    }),
  120_000
)

it.live("a data folder of a later format is not touched, and the status and the words say what to do", () =>
  Effect.gen(function* () {
    const ground = yield* makeGround({ cameras: 0 })
    writeFileSync(join(ground.folder, "format"), "2\n")
    const { code, said } = yield* done(ground, "serve")
    assert.strictEqual(code, 69)
    assert.include(said, "it has format 2, and this version knows 1")
    assert.strictEqual(textIn(ground, "format"), "2\n")
    assert.isFalse(existsSync(join(ground.folder, "index.sqlite")))
  })
)
