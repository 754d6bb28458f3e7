import { assert, describe, it } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { spawnSync } from "node:child_process"
import { join } from "node:path"
import { DatabaseSync } from "node:sqlite"
import { Databases } from "../../src/ground/Databases.ts"
import { openIndex } from "../../src/storage/IndexFile.ts"
import { asVersion1, asVersion2, asVersion3 } from "./EarlierIndexes.ts"
import { indexed, temporaryFolder } from "./Workbench.ts"

const module = (path: string) => JSON.stringify(join(import.meta.dirname, "../../src", path))

/** Opens an index, and is killed with the first step of its upgrade done and not yet there for good. */
const killed = (path: string) => `
  import { DatabaseSync } from "node:sqlite"
  import { openIndex } from ${module("storage/IndexFile.ts")}
  const open = (path) => {
    const database = new DatabaseSync(path)
    const exec = database.exec.bind(database)
    database.exec = (sql) => {
      if (!sql.startsWith("BEGIN") || !sql.endsWith("COMMIT")) return exec(sql)
      exec(sql.slice(0, -"COMMIT".length))
      process.kill(process.pid, "SIGKILL")
    }
    return database
  }
  openIndex({ open, remove: () => undefined, bootId: () => "1" }, ${JSON.stringify(path)})
`

/** An index with two recordings, as an earlier or a later version has left it. */
const left = Effect.fnUntraced(function* (sql: string) {
  const path = join(yield* temporaryFolder, "index.sqlite")
  const databases = Context.get(yield* Layer.build(Databases.layer), Databases)
  const { database } = openIndex(databases, path)
  for (const filename of ["a.mp4", "b.mp4"])
    database.put(indexed({ filename, device: "camera0", bytes: 5, codec: "h264" }))
  database.close()
  const versionOf = () => {
    const seen = new DatabaseSync(path, { readOnly: true })
    const version = Number(seen.prepare("PRAGMA user_version").get()?.["user_version"])
    seen.close()
    return version
  }
  const current = versionOf()
  const other = new DatabaseSync(path)
  other.exec(sql.replaceAll("LATER", String(current + 1)))
  other.close()
  return { path, current, versionOf, open: () => openIndex(databases, path) }
})

describe("an index", () => {
  for (const [version, sql] of [
    [1, asVersion1],
    [2, asVersion2],
    [3, asVersion3]
  ] as const) {
    it.effect(`of version ${version} is whole, whoever was killed while it was upgraded`, () =>
      Effect.gen(function* () {
        const { current, open, path, versionOf } = yield* left(sql)
        const { signal, stderr } = spawnSync(process.execPath, ["--input-type=module", "--eval", killed(path)])
        assert.strictEqual(signal, "SIGKILL", String(stderr))
        assert.strictEqual(versionOf(), version)
        const { database, fresh } = open()
        assert.isFalse(fresh)
        assert.deepStrictEqual(database.totals("recording"), { files: 2, bytes: 10 })
        assert.strictEqual(database.get("recording", "a.mp4")?.codec, "h264")
        database.close()
        assert.strictEqual(versionOf(), current)
      }).pipe(Effect.scoped)
    )
  }

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
