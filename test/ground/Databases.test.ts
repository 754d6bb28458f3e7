import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { chmodSync, readdirSync, statSync } from "node:fs"
import { join } from "node:path"
import { Databases } from "../../src/ground/Databases.ts"
import { temporaryFolder } from "../storage/Workbench.ts"

it.effect("a database and its journals are for the service's own user only, also one that was not", () =>
  Effect.gen(function* () {
    const path = join(yield* temporaryFolder, "index.sqlite")
    const { open } = yield* Databases
    const modes = (...suffixes: ReadonlyArray<string>) =>
      suffixes.map((suffix) => (statSync(`${path}${suffix}`).mode & 0o777).toString(8))
    const use = (database: ReturnType<typeof open>) =>
      database.exec("PRAGMA journal_mode=WAL; CREATE TABLE IF NOT EXISTS t(a); INSERT INTO t VALUES(1)")
    const first = open(path)
    use(first)
    assert.deepStrictEqual(modes("", "-wal", "-shm"), ["600", "600", "600"])
    first.close()
    chmodSync(path, 0o644)
    const second = open(path)
    use(second)
    assert.deepStrictEqual(modes("", "-wal", "-shm"), ["600", "600", "600"])
    second.close()
  }).pipe(Effect.provide(Databases.layer))
)

it.effect("a copy that cannot be made leaves nothing behind", () =>
  Effect.gen(function* () {
    const folder = yield* temporaryFolder
    const { keep, open } = yield* Databases
    const database = open(join(folder, "index.sqlite"))
    // SQLite makes no copy in the midst of a transaction, nor on a full disk
    database.exec("CREATE TABLE t(a); BEGIN")
    assert.throws(() => keep(database, join(folder, "index.sqlite.before")), /transaction/)
    database.close()
    assert.deepStrictEqual(readdirSync(folder), ["index.sqlite"])
  }).pipe(Effect.provide(Databases.layer))
)
