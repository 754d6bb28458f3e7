import { assert, describe, it } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { spawnSync } from "node:child_process"
import { copyFileSync, existsSync } from "node:fs"
import { join } from "node:path"
import { DatabaseSync } from "node:sqlite"
import { Databases } from "../../src/ground/Databases.ts"
import { openIndex } from "../../src/storage/IndexFile.ts"
import { asVersion1, asVersion2, asVersion3, asVersion4 } from "./EarlierIndexes.ts"
import { indexed, temporaryFolder } from "./Workbench.ts"

const root = join(import.meta.dirname, "../..")
const module = (path: string) => JSON.stringify(join(import.meta.dirname, "../../src", path))

/**
 * Opens an index, and is killed: with a copy of it made and not yet there by its name, or with the first step of its upgrade
 * done and not yet there for good.
 */
const killed = (path: string, at: "copy" | "step") => `
  import fs from "node:fs"
  import { syncBuiltinESMExports } from "node:module"
  const kill = () => process.kill(process.pid, "SIGKILL")
  if (${at === "copy"}) fs.renameSync = kill
  syncBuiltinESMExports()
  const { DatabaseSync } = await import("node:sqlite")
  const { Databases } = await import(${module("ground/Databases.ts")})
  const { openIndex } = await import(${module("storage/IndexFile.ts")})
  const Effect = await import("effect/Effect")
  const databases = await Effect.runPromise(Effect.provide(Databases, Databases.layer))
  const open = (path) => {
    const database = new DatabaseSync(path)
    const exec = database.exec.bind(database)
    database.exec = (sql) => {
      if (!sql.startsWith("BEGIN") || !sql.endsWith("COMMIT")) return exec(sql)
      exec(sql.slice(0, -"COMMIT".length))
      kill()
    }
    return database
  }
  openIndex({ ...databases, open }, ${JSON.stringify(path)})
`

/** An index with two recordings, as an earlier or a later version has left it. */
const left = Effect.fnUntraced(function* (sql: string) {
  const path = join(yield* temporaryFolder, "index.sqlite")
  const databases = Context.get(yield* Layer.build(Databases.layer), Databases)
  const { database } = openIndex(databases, path)
  for (const filename of ["a.mp4", "b.mp4"])
    database.put(indexed({ filename, device: "camera0", bytes: 5, codec: "h264" }))
  database.close()
  const versionIn = (file: string) => {
    const seen = new DatabaseSync(file, { readOnly: true })
    const version = Number(seen.prepare("PRAGMA user_version").get()?.["user_version"])
    seen.close()
    return version
  }
  const versionOf = () => versionIn(path)
  const current = versionOf()
  const other = new DatabaseSync(path)
  other.exec(sql.replaceAll("LATER", String(current + 1)))
  other.close()
  /** the version of what is kept of an index before its upgrade */
  const kept = () => (existsSync(`${path}.before`) ? versionIn(`${path}.before`) : undefined)
  return { path, current, databases, kept, versionOf, open: () => openIndex(databases, path) }
})

describe("an index", () => {
  for (const [version, sql] of [
    [1, asVersion1],
    [2, asVersion2],
    [3, asVersion3],
    [4, asVersion4]
  ] as const) {
    it.effect(`of version ${version} is whole, whoever was killed while it was copied and upgraded`, () =>
      Effect.gen(function* () {
        const { current, kept, open, path, versionOf } = yield* left(sql)
        for (const at of ["copy", "step"] as const) {
          const args = ["--input-type=module", "--eval", killed(path, at)]
          const { signal, stderr } = spawnSync(process.execPath, args, { cwd: root })
          assert.strictEqual(signal, "SIGKILL", String(stderr))
          assert.strictEqual(versionOf(), version)
          assert.strictEqual(kept(), at === "copy" ? undefined : version)
        }
        const { database, fresh } = open()
        assert.isFalse(fresh)
        assert.deepStrictEqual(database.totals("recording"), { files: 2, bytes: 10 })
        assert.strictEqual(database.get("recording", "a.mp4")?.codec, "h264")
        database.close()
        assert.strictEqual(versionOf(), current)
        // this version has run: it is not gone back from without thinking of it
        assert.strictEqual(kept(), version)
        open().database.close()
        assert.isUndefined(kept())
      }).pipe(Effect.scoped)
    )
  }

  it.effect("of an earlier version has its copy until this one has ended as it should", () =>
    Effect.gen(function* () {
      const { kept, open } = yield* left(asVersion3)
      open().database.abandon()
      open().database.abandon()
      assert.strictEqual(kept(), 3)
      open().database.close()
      open().database.close()
      assert.isUndefined(kept())
    }).pipe(Effect.scoped)
  )

  it.effect("that a later version has upgraded is what it was before that, where this one would misread it", () =>
    Effect.gen(function* () {
      const { current, kept, open, path, versionOf } = yield* left("")
      copyFileSync(path, `${path}.before`)
      const later = new DatabaseSync(path)
      later.exec(`UPDATE meta SET value = '${current + 1}' WHERE name = 'opens'; PRAGMA user_version=${current + 1}`)
      later.close()
      const { database, fresh } = open()
      assert.isFalse(fresh)
      assert.deepStrictEqual(database.totals("recording"), { files: 2, bytes: 10 })
      database.close()
      assert.strictEqual(versionOf(), current)
      assert.isUndefined(kept())
    }).pipe(Effect.scoped)
  )

  it.effect("is upgraded also where there is no room for a copy, which is told", () =>
    Effect.gen(function* () {
      const { current, databases, kept, path, versionOf } = yield* left(asVersion3)
      const full = new Error("database or disk is full")
      const keep = () => {
        throw full
      }
      const { database, notKept } = openIndex({ ...databases, keep }, path)
      assert.strictEqual(notKept, full)
      assert.deepStrictEqual(database.totals("recording"), { files: 2, bytes: 10 })
      database.close()
      assert.isUndefined(kept())
      assert.strictEqual(versionOf(), current)
    }).pipe(Effect.scoped)
  )

  it.effect("of a later version that only adds something is opened as it is, and stays what it is", () =>
    Effect.gen(function* () {
      const { current, open, versionOf } = yield* left(
        "ALTER TABLE files ADD COLUMN owner TEXT NOT NULL DEFAULT ''; PRAGMA user_version=LATER"
      )
      const { database, fresh } = open()
      assert.isFalse(fresh)
      database.put(indexed({ filename: "c.mp4", device: "camera0", bytes: 5 }))
      assert.deepStrictEqual(database.totals("recording"), { files: 3, bytes: 15 })
      database.close()
      assert.strictEqual(versionOf(), current + 1)
    }).pipe(Effect.scoped)
  )

  it.effect("of a later version that this one would misread is begun anew, and it is said whose it was", () =>
    Effect.gen(function* () {
      const { current, open } = yield* left(
        "UPDATE meta SET value = 'LATER' WHERE name = 'opens'; PRAGMA user_version=LATER"
      )
      const { database, fresh, newer } = open()
      assert.isTrue(fresh)
      assert.strictEqual(newer, current + 1)
      assert.strictEqual(database.totals("recording").files, 0)
      database.close()
    }).pipe(Effect.scoped)
  )
})
