import type { DatabaseSync } from "node:sqlite"
import type { Description, Grown, IndexedFile, Stored, StoredFile } from "./IndexedFile.ts"
import { type IndexLists, indexLists } from "./IndexLists.ts"
import { kindNumber, toFile, toKind, toValues } from "./IndexRows.ts"
import type { FileKind } from "./Names.ts"
import { recordedFrom } from "./RecordedFrom.ts"

/**
 * Bytes that the index has for itself, so that it can be written on a disk that is full: as many as its WAL grows to before
 * SQLite starts it over (`wal_autocheckpoint`), and the same in the file. Taken in 2 to 8 ms (measured, on an SSD).
 */
const reserveBytes = 1_050_000

/** What is asked of the open index; every method is short and may throw what `node:sqlite` throws. */
export interface IndexReads extends IndexLists {
  readonly has: (kind: FileKind, filename: string) => boolean
  readonly get: (kind: FileKind, filename: string) => StoredFile | undefined
  readonly totals: (kind: FileKind) => { readonly files: number; readonly bytes: number }
  readonly stored: () => ReadonlyArray<Stored>
  /** files in the order of their names, after this one */
  readonly after: (kind: FileKind, filename: string, limit: number) => ReadonlyArray<IndexedFile>
  /** the newest file that nobody has looked into, but for these */
  readonly undescribed: (kind: FileKind, isLeftOut: (filename: string) => boolean) => IndexedFile | undefined
}

/** The open index; each change is one short transaction. */
export interface IndexDatabase extends IndexReads {
  /** what lies beside a file that is there stays as it is */
  readonly put: (file: IndexedFile) => void
  /** so much lies beside the recording, if it is there */
  readonly putBeside: (recording: string, bytes: number) => void
  /** adds files that are not there yet; those that are stay as they are */
  readonly addNew: (files: ReadonlyArray<{ readonly file: IndexedFile; readonly described: boolean }>) => void
  readonly remove: (kind: FileKind, filename: string) => boolean
  /** recordings that nobody has looked into yet have become larger */
  readonly grow: (recordings: ReadonlyArray<Grown>) => void
  readonly resize: (kind: FileKind, filename: string, bytes: number, modified: number) => void
  /** what somebody found in it, unless he who wrote it has told of it since */
  readonly describe: (kind: FileKind, filename: string, description: Description) => void
  /** takes the room that the index has for itself, where it has not: on the disk, and in the file */
  readonly reserve: () => void
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
  const grow = statement(
    `UPDATE files SET bytes = ?1, modified = ?2 WHERE kind = 0 AND filename = ?3 AND codec = '' AND bytes < ?1`
  )
  const describe =
    statement(`UPDATE files SET created = ?, duration = ?, codec = ?, width = ?, height = ?, described = 1
    WHERE kind = ? AND filename = ? AND (described = 0 OR codec = '')`)
  const get = statement("SELECT * FROM files WHERE kind = ? AND filename = ?")
  const has = statement("SELECT 1 FROM files WHERE kind = ? AND filename = ?")
  const after = statement("SELECT * FROM files WHERE kind = ? AND filename > ? ORDER BY filename LIMIT ?")
  const undescribed = statement(
    "SELECT * FROM files WHERE kind = ? AND described = 0 ORDER BY modified DESC, filename DESC"
  )
  const fill = statement("INSERT OR REPLACE INTO meta VALUES('reserve', zeroblob(?))")
  const free = statement("DELETE FROM meta WHERE name = 'reserve'")
  const stored = statement("SELECT kind, device, files, bytes FROM totals WHERE files > 0")
  const totals = statement("SELECT device, files, bytes FROM totals WHERE kind = ? AND files > 0")

  const together = (changes: () => void): void => {
    database.exec("BEGIN")
    try {
      changes()
      database.exec("COMMIT")
    } catch (cause) {
      if (database.isTransaction) database.exec("ROLLBACK")
      throw cause
    }
  }

  return {
    // a recording that is being written has no codec yet: it is looked into if nobody comes to finish it
    put: (file) => void put.run(...toValues(file, file.kind === "snapshot" || file.codec !== "")),
    putBeside: (recording, bytes) => void putBeside.run(bytes, recording),
    addNew: (files) => together(() => files.forEach(({ file, described }) => addNew.run(...toValues(file, described)))),
    grow: (recordings) =>
      together(() =>
        recordings.forEach(({ bytes, filename, modified }) => grow.run(bytes, Math.floor(modified), filename))
      ),
    remove: (kind, filename) => remove.run(kindNumber(kind), filename).changes > 0,
    resize: (kind, filename, bytes, modified) =>
      void resize.run(bytes, Math.floor(modified), kindNumber(kind), filename),
    describe: (kind, filename, d) => {
      const row = get.get(kindNumber(kind), filename)
      if (row === undefined) return
      const { created, modified } = toFile(row)
      const from = recordedFrom(created, modified, d.duration)
      describe.run(from, d.duration, d.codec, d.width, d.height, kindNumber(kind), filename)
    },
    has: (kind, filename) => has.get(kindNumber(kind), filename) !== undefined,
    get: (kind, filename) => {
      const row = get.get(kindNumber(kind), filename)
      return row === undefined ? undefined : toFile(row)
    },
    ...indexLists(database),
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
    undescribed: (kind, isLeftOut) => {
      for (const row of undescribed.iterate(kindNumber(kind))) {
        const file = toFile(row)
        if (!isLeftOut(file.filename)) return file
      }
      return undefined
    }
  }
}
