import { assert, describe, it } from "@effect/vitest"
import { storageFailed } from "../../src/storage/StorageFailed.ts"

/** As `node:sqlite` throws it, with SQLite's extended result code. */
const thrown = (errcode: number, errstr: string) =>
  Object.assign(new Error(errstr), { code: "ERR_SQLITE_ERROR", errcode, errstr })

describe("a database that fails", () => {
  it.each([
    [13, "database or disk is full", "no space is left on the disk"],
    [8, "attempt to write a readonly database", "the file system is read-only"],
    [10 | (3 << 8), "disk I/O error", "the disk reports an error"],
    [11, "database disk image is malformed", "a file that the service keeps is damaged"],
    [26, "file is not a database", "a file that the service keeps is damaged"],
    [1, "no such table: files", "no such table: files"]
  ])("with %i (%s) is told to clients as what it means: %s", (errcode, errstr, told) => {
    const { detail, suggestion } = storageFailed("use the index", thrown(errcode, errstr))
    assert.strictEqual(detail, `cannot use the index: ${told}`)
    assert.strictEqual(suggestion, errcode === 13 ? "delete recordings or snapshots" : undefined)
  })
})
