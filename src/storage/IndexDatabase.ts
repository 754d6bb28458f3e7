import type { DatabaseSync, SQLInputValue, SQLOutputValue, StatementSync } from "node:sqlite"
import type { CameraId } from "../../schema/Camera.ts"
import { matchesGlob } from "../config/Glob.ts"
import type { FileKind } from "./Names.ts"

/** One recording or snapshot; times are epoch milliseconds, `duration` seconds; 0 and "" where not known. */
export interface IndexedFile {
  readonly kind: FileKind
  readonly filename: string
  readonly device: CameraId
  readonly bytes: number
  readonly modified: number
  readonly created: number
  readonly duration: number
  readonly codec: string
  readonly width: number
  readonly height: number
}

/** A file as the index has it. */
export interface StoredFile extends IndexedFile {
  /** bytes of what lies beside it and goes with it */
  readonly beside: number
}

/** What can be learned only by looking into a file. */
export interface Description {
  readonly duration: number
  readonly codec: string
  readonly width: number
  readonly height: number
}

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

/** What there is of one camera. */
export interface Stored {
  readonly kind: FileKind
  readonly device: CameraId
  readonly files: number
  readonly bytes: number
}

type Row = Record<string, SQLOutputValue>

const kinds = ["recording", "snapshot"] as const
const kindNumber = (kind: FileKind): number => kinds.indexOf(kind)

const toKind = (row: Row): FileKind => kinds[Number(row["kind"])] ?? "recording"

const toFile = (row: Row): StoredFile => ({
  kind: toKind(row),
  filename: String(row["filename"]),
  device: String(row["device"]),
  bytes: Number(row["bytes"]),
  modified: Number(row["modified"]),
  created: Number(row["created"]),
  duration: Number(row["duration"]),
  codec: String(row["codec"]),
  width: Number(row["width"]),
  height: Number(row["height"]),
  beside: Number(row["beside"])
})

const toValues = (file: IndexedFile, described: boolean): ReadonlyArray<SQLInputValue> => [
  kindNumber(file.kind),
  file.filename,
  file.device,
  file.bytes,
  Math.floor(file.modified),
  file.created,
  file.duration,
  file.codec,
  file.width,
  file.height,
  described ? 1 : 0
]

/** How many files a merge by camera may skip before counting off in `by_time` is faster (measured with 100,000 files). */
const shallow = 1000
/** SQLite merges at most 500 selects (SQLITE_MAX_COMPOUND_SELECT). */
const mostMerged = 100

/**
 * Bytes that the index has for itself, so that it can be written on a disk that is full: as many as its WAL grows to before
 * SQLite starts it over (`wal_autocheckpoint`), and the same in the file. Taken in 2 to 8 ms (measured, on an SSD).
 */
const reserveBytes = 1_050_000

/** The open index; every method is one short transaction and may throw what `node:sqlite` throws. */
export interface IndexDatabase {
  /** what lies beside a file that is there stays as it is */
  readonly put: (file: IndexedFile) => void
  /** so much lies beside the recording, if it is there */
  readonly putBeside: (recording: string, bytes: number) => void
  /** adds files that are not there yet; those that are stay as they are */
  readonly addNew: (files: ReadonlyArray<{ readonly file: IndexedFile; readonly described: boolean }>) => void
  readonly remove: (kind: FileKind, filename: string) => boolean
  readonly resize: (kind: FileKind, filename: string, bytes: number, modified: number) => void
  readonly describe: (kind: FileKind, filename: string, description: Description) => void
  readonly has: (kind: FileKind, filename: string) => boolean
  readonly get: (kind: FileKind, filename: string) => StoredFile | undefined
  readonly page: (kind: FileKind, page: Page) => { readonly files: ReadonlyArray<StoredFile>; readonly total: number }
  readonly oldest: (sequence: Sequence) => ReadonlyArray<StoredFile>
  readonly totals: (kind: FileKind) => { readonly files: number; readonly bytes: number }
  readonly stored: () => ReadonlyArray<Stored>
  /** files in the order of their names, after this one */
  readonly after: (kind: FileKind, filename: string, limit: number) => ReadonlyArray<IndexedFile>
  /** takes the room that the index has for itself, where it has not: on the disk, and in the file */
  readonly reserve: () => void
  /** the newest file that nobody has looked into */
  readonly undescribed: (kind: FileKind) => IndexedFile | undefined
}

/** The statements of an open index. */
export const indexStatements = (database: DatabaseSync): IndexDatabase => {
  const columns = "kind, filename, device, bytes, modified, created, duration, codec, width, height, described"
  const statement = (sql: string) => database.prepare(sql)
  const put = statement(`INSERT INTO files(${columns}) VALUES(?,?,?,?,?,?,?,?,?,?,?) ON CONFLICT DO UPDATE SET
    device = excluded.device, bytes = excluded.bytes, modified = excluded.modified, created = excluded.created,
    duration = excluded.duration, codec = excluded.codec, width = excluded.width, height = excluded.height,
    described = excluded.described`)
  const addNew = statement(`INSERT INTO files(${columns}) VALUES(?,?,?,?,?,?,?,?,?,?,?) ON CONFLICT DO NOTHING`)
  const putBeside = statement("UPDATE files SET beside = ? WHERE kind = 0 AND filename = ? AND beside <> ?1")
  const remove = statement("DELETE FROM files WHERE kind = ? AND filename = ?")
  const resize =
    statement(`UPDATE files SET described = CASE WHEN bytes = ?1 THEN described ELSE 0 END, bytes = ?1, modified = ?2
    WHERE kind = ?3 AND filename = ?4`)
  const describe = statement(
    "UPDATE files SET duration = ?, codec = ?, width = ?, height = ?, described = 1 WHERE kind = ? AND filename = ?"
  )
  const get = statement("SELECT * FROM files WHERE kind = ? AND filename = ?")
  const has = statement("SELECT 1 FROM files WHERE kind = ? AND filename = ?")
  const after = statement("SELECT * FROM files WHERE kind = ? AND filename > ? ORDER BY filename LIMIT ?")
  const undescribed = statement(
    "SELECT * FROM files WHERE kind = ? AND described = 0 ORDER BY modified DESC, filename DESC LIMIT 1"
  )
  const fill = statement("INSERT OR REPLACE INTO meta VALUES('reserve', zeroblob(?))")
  const free = statement("DELETE FROM meta WHERE name = 'reserve'")
  const stored = statement("SELECT kind, device, files, bytes FROM totals WHERE files > 0")
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

  const page: IndexDatabase["page"] = (kind, { limit, offset, devices }) => {
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
  const oldest: IndexDatabase["oldest"] = ({ after, device, kinds: wanted, limit }) => {
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

  return {
    // a recording that is being written has no codec yet: it is looked into if nobody comes to finish it
    put: (file) => void put.run(...toValues(file, file.kind === "snapshot" || file.codec !== "")),
    putBeside: (recording, bytes) => void putBeside.run(bytes, recording),
    addNew: (files) => {
      database.exec("BEGIN")
      try {
        for (const { file, described } of files) addNew.run(...toValues(file, described))
        database.exec("COMMIT")
      } catch (cause) {
        if (database.isTransaction) database.exec("ROLLBACK")
        throw cause
      }
    },
    remove: (kind, filename) => remove.run(kindNumber(kind), filename).changes > 0,
    resize: (kind, filename, bytes, modified) =>
      void resize.run(bytes, Math.floor(modified), kindNumber(kind), filename),
    describe: (kind, filename, d) =>
      void describe.run(d.duration, d.codec, d.width, d.height, kindNumber(kind), filename),
    has: (kind, filename) => has.get(kindNumber(kind), filename) !== undefined,
    get: (kind, filename) => {
      const row = get.get(kindNumber(kind), filename)
      return row === undefined ? undefined : toFile(row)
    },
    page,
    oldest,
    totals: (kind) => {
      const rows = totals.all(kindNumber(kind))
      const sum = (column: string) => rows.reduce((all, row) => all + Number(row[column]), 0)
      return { files: sum("files"), bytes: sum("bytes") }
    },
    stored: () =>
      stored.all().map((row) => ({
        kind: toKind(row),
        device: String(row["device"]),
        files: Number(row["files"]),
        bytes: Number(row["bytes"])
      })),
    after: (kind, filename, limit) => after.all(kindNumber(kind), filename, limit).map(toFile),
    reserve: () => {
      fill.run(reserveBytes)
      free.run()
      database.exec("PRAGMA shrink_memory")
    },
    undescribed: (kind) => {
      const row = undescribed.get(kindNumber(kind))
      return row === undefined ? undefined : toFile(row)
    }
  }
}
