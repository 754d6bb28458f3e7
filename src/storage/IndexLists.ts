import type { DatabaseSync, StatementSync } from "node:sqlite"
import type { CameraId } from "../../schema/Camera.ts"
import { matchesGlob } from "../config/Glob.ts"
import type { IndexedFile, StoredFile } from "./IndexedFile.ts"
import { kindNumber, toFile } from "./IndexRows.ts"
import type { FileKind } from "./Names.ts"

export interface Page {
  readonly limit: number
  readonly offset: number
  /** only files of these cameras, by names and globs; undefined: of all */
  readonly devices: ReadonlyArray<string> | undefined
}

/** Which files, oldest first: those of these kinds, of one camera or of all, behind this one of the sequence. */
export interface Sequence {
  readonly kinds: ReadonlyArray<FileKind>
  readonly device: CameraId | undefined
  readonly after: Pick<IndexedFile, "modified" | "filename"> | undefined
  readonly limit: number
}

/** How many files a merge by camera may skip before counting off in `by_time` is faster (measured with 100,000 files). */
const shallow = 1000
/** SQLite merges at most 500 selects (SQLITE_MAX_COMPOUND_SELECT). */
const mostMerged = 100

/** The index's files in the order of their times. */
export interface IndexLists {
  /** newest first */
  readonly page: (kind: FileKind, page: Page) => { readonly files: ReadonlyArray<StoredFile>; readonly total: number }
  readonly oldest: (sequence: Sequence) => ReadonlyArray<StoredFile>
}

/** The statements of these lists, each form of them prepared when it is first asked for. */
export const indexLists = (database: DatabaseSync): IndexLists => {
  const statement = (sql: string) => database.prepare(sql)
  const totals = statement("SELECT device, files, bytes FROM totals WHERE kind = ? AND files > 0")

  const pages = new Map<string, StatementSync>()
  const paged = (key: string, order: "ASC" | "DESC", select: string) => {
    const known = pages.get(`${key} ${order}`)
    if (known !== undefined) return known
    // the inner select walks an index only; rows are fetched for the page alone
    const made = statement(`SELECT f.* FROM (${select} ORDER BY modified ${order}, filename ${order} LIMIT ? OFFSET ?) p
      CROSS JOIN files f USING(kind, filename) ORDER BY p.modified DESC, p.filename DESC`)
    pages.set(`${key} ${order}`, made)
    return made
  }
  const from = "SELECT kind, filename, modified FROM files INDEXED BY"

  const page: IndexLists["page"] = (kind, { limit, offset, devices }) => {
    const all = totals.all(kindNumber(kind))
    const counted =
      devices === undefined
        ? all
        : all.filter((row) => devices.some((glob) => matchesGlob(String(row["device"]), glob)))
    const total = counted.reduce((sum, row) => sum + Number(row["files"]), 0)
    const size = Math.min(limit, total - offset)
    if (size <= 0) return { files: [], total }
    // pages of the older half are counted off from the other end
    const backwards = offset > total / 2
    const skip = backwards ? total - offset - size : offset
    const order = backwards ? "ASC" : "DESC"
    const named = counted.map((row) => String(row["device"]))
    const whole = counted.length === all.length
    const rows = whole
      ? paged("all", order, `${from} by_time WHERE kind = ?`).all(kindNumber(kind), size, skip)
      : skip <= shallow && named.length <= mostMerged
        ? paged(
            String(named.length),
            order,
            named.map(() => `${from} by_device WHERE kind = ? AND device = ?`).join(" UNION ALL ")
          ).all(...named.flatMap((device) => [kindNumber(kind), device]), size, skip)
        : paged("some", order, `${from} by_time WHERE kind = ? AND device IN (SELECT value FROM json_each(?))`).all(
            kindNumber(kind),
            JSON.stringify(named),
            size,
            skip
          )
    return { files: rows.map(toFile), total }
  }

  const sequences = new Map<string, StatementSync>()
  const oldest: IndexLists["oldest"] = ({ after, device, kinds: wanted, limit }) => {
    const key = `${wanted.length} ${device === undefined ? "all" : "one"}`
    const index = device === undefined ? "by_time WHERE kind = ?" : "by_device WHERE kind = ? AND device = ?"
    const select = wanted.map(() => `${from} ${index} AND (modified, filename) > (?, ?)`).join(" UNION ALL ")
    const found =
      sequences.get(key) ??
      statement(`SELECT f.* FROM (${select} ORDER BY modified, filename LIMIT ?) p
        CROSS JOIN files f USING(kind, filename)`)
    sequences.set(key, found)
    const place = after === undefined ? [Number.MIN_SAFE_INTEGER, ""] : [after.modified, after.filename]
    const values = wanted.flatMap((kind) => [kindNumber(kind), ...(device === undefined ? [] : [device]), ...place])
    return found.all(...values, limit).map(toFile)
  }

  return { page, oldest }
}
