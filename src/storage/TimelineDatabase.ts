import type { DatabaseSync, SQLOutputValue } from "node:sqlite"
import type { CameraId } from "../../schema/Camera.ts"

/** A stretch of time in which a camera was recorded without a gap; epoch milliseconds. */
export interface Stretch {
  readonly start: number
  readonly end: number
}

/** A recording and its time. */
export interface TimedFile extends Stretch {
  readonly filename: string
  readonly bytes: number
  readonly codec: string
}

/** The same as far as `by_start` has it: rows of files lie far apart. */
export interface LastFile extends Stretch {
  readonly filename: string
  /** somebody has looked into it */
  readonly isKnown: boolean
}

/** One file ends where the next begins, to the frame; more apart than this is a gap. Milliseconds. */
export const tolerance = 1000

/** So many reasons of one camera's gaps are kept, the newest. */
const mostReasons = 10_000

/**
 * When a file ends. Of one that nobody has looked into yet it is known when it was written to last, which says nothing where it
 * was copied: it shows no more than its bytes can hold, a kilobyte a second at the least.
 */
const endOf = (row: string) =>
  `(${row}.created + CASE WHEN ${row}.duration > 0 THEN ${row}.duration * 1000
    ELSE max(0, min(${row}.modified - ${row}.created, ${row}.bytes)) END)`

/** A recording that shows something, as far as is known: not one that was looked into, and has no time. */
const shows = (row: string) => `${row}.kind = 0 AND (${row}.duration > 0 OR ${row}.described = 0)`

/** Whether a file begins a stretch: nothing of its camera ends where it begins. */
const begins = `((${shows("files")}) AND coalesce((SELECT files.created > ${endOf("p")} + ${tolerance} FROM files p
  WHERE ${shows("p")} AND p.device = files.device AND (p.created, p.filename) < (files.created, files.filename)
  ORDER BY p.created DESC, p.filename DESC LIMIT 1), 1))`

const next = (row: "new" | "old") => `UPDATE files SET begins = ${begins} WHERE kind = 0 AND filename =
  (SELECT n.filename FROM files n WHERE ${shows("n")} AND n.device = ${row}.device
    AND (n.created, n.filename) > (${row}.created, ${row}.filename) ORDER BY n.created, n.filename LIMIT 1)
  AND begins <> ${begins};`
const own = `UPDATE files SET begins = ${begins} WHERE kind = 0 AND filename = new.filename AND begins <> ${begins};`

const rules = `
CREATE INDEX by_start ON files(device, created, filename, duration, modified, bytes, described)
  WHERE kind = 0 AND (duration > 0 OR described = 0);
CREATE TRIGGER recording_came AFTER INSERT ON files WHEN new.kind = 0 BEGIN
  ${own} ${next("new")}
END;
CREATE TRIGGER recording_left AFTER DELETE ON files WHEN old.kind = 0 BEGIN
  ${next("old")} DELETE FROM parts WHERE filename = old.filename;
END;
CREATE TRIGGER recording_changed AFTER UPDATE OF device, created, duration, modified, bytes, described ON files WHEN new.kind = 0 BEGIN
  ${next("old")} ${own} ${next("new")}
END;
CREATE TRIGGER recording_grew AFTER UPDATE OF bytes ON files WHEN new.kind = 0 AND new.bytes <> old.bytes BEGIN
  DELETE FROM parts WHERE filename = new.filename;
END;
`

/**
 * Stretches are few where files are many: each file knows whether it begins one, so nobody looks through all of them.
 * What is said of a file's parts goes with the file, and when it is another one.
 */
export const timelineSchema = `
CREATE INDEX stretches ON files(device, created) WHERE kind = 0 AND begins = 1;
CREATE TABLE ends(device TEXT NOT NULL, at INTEGER NOT NULL, reason TEXT NOT NULL, PRIMARY KEY(device, at)) WITHOUT ROWID;
CREATE TABLE parts(filename TEXT PRIMARY KEY, data BLOB NOT NULL);
${rules}`

const lookAgain = `UPDATE files SET begins = ${begins} WHERE kind = 0;`

/** The same for an index of before; 2 µs a file, once. */
export const timelineUpgrade = `
ALTER TABLE files ADD COLUMN begins INTEGER NOT NULL DEFAULT 0;
${timelineSchema}
${lookAgain}
`

/**
 * For one whose files claimed all the time from their names to when they were written to last, or, once they had begun a
 * stretch, went on to begin one.
 */
export const timelineMended = `
DROP TRIGGER recording_came; DROP TRIGGER recording_left; DROP TRIGGER recording_changed; DROP TRIGGER recording_grew;
DROP INDEX by_start;
${rules}
${lookAgain}
`

/** What the index knows of the time of recordings. */
export interface TimelineReads {
  /** starts of stretches within (after, until], oldest first */
  readonly starts: (device: CameraId, after: number, until: number, limit: number) => ReadonlyArray<number>
  /** the last stretch that begins at or before this, be it over or not; undefined: there is none */
  readonly startBefore: (device: CameraId, at: number) => number | undefined
  /** the last file that begins before this */
  readonly lastBefore: (device: CameraId, at: number) => LastFile | undefined
  /**
   * Files that begin within this time, oldest first, and the last one that begins before it: that may be over by then,
   * and `end` does not say so of one that is being written.
   */
  readonly files: (device: CameraId, from: number, to: number, limit: number) => ReadonlyArray<TimedFile>
  /** the first reason within this time */
  readonly reasonOf: (device: CameraId, from: number, to: number) => string | undefined
  readonly parts: (filename: string) => Uint8Array | undefined
}

/** The same, and what is told of it; every method is one short transaction. */
export interface TimelineDatabase extends TimelineReads {
  /** why nothing was recorded from then on */
  readonly noteEnd: (device: CameraId, at: number, reason: string) => void
  /** of a file that is there */
  readonly putParts: (filename: string, data: Uint8Array) => void
}

type Row = Record<string, SQLOutputValue>

const toFile = (row: Row): TimedFile => ({
  filename: String(row["filename"]),
  start: Number(row["created"]),
  end: Number(row["ends"]),
  bytes: Number(row["bytes"]),
  codec: String(row["codec"])
})

/** Compiled once, and good for as long as this database is open. */
export const timelineStatements = (database: DatabaseSync): TimelineDatabase => {
  const statement = (sql: string) => database.prepare(sql)
  const starts = statement(
    "SELECT created FROM files WHERE kind = 0 AND begins = 1 AND device = ? AND created > ? AND created <= ? ORDER BY created LIMIT ?"
  )
  const startBefore = statement(
    "SELECT created FROM files WHERE kind = 0 AND begins = 1 AND device = ? AND created <= ? ORDER BY created DESC LIMIT 1"
  )
  const columns = `filename, created, ${endOf("files")} AS ends, bytes, codec`
  const lastBefore = statement(
    `SELECT filename, created, duration, ${endOf("files")} AS ends FROM files INDEXED BY by_start
      WHERE ${shows("files")} AND device = ? AND created < ? ORDER BY created DESC, filename DESC LIMIT 1`
  )
  const file = statement(`SELECT ${columns} FROM files WHERE kind = 0 AND filename = ?`)
  const between = statement(
    `SELECT ${columns} FROM files WHERE ${shows("files")} AND device = ? AND created >= ? AND created < ? ORDER BY created, filename LIMIT ?`
  )
  const noteEnd = statement("INSERT OR REPLACE INTO ends VALUES(?, ?, ?)")
  const forgetEnds = statement(
    `DELETE FROM ends WHERE device = ?1 AND at <= (SELECT at FROM ends WHERE device = ?1 ORDER BY at DESC LIMIT 1 OFFSET ${mostReasons})`
  )
  const reasonOf = statement("SELECT reason FROM ends WHERE device = ? AND at BETWEEN ? AND ? ORDER BY at LIMIT 1")
  const parts = statement("SELECT data FROM parts WHERE filename = ?")
  const putParts = statement(
    "INSERT OR REPLACE INTO parts SELECT filename, ? FROM files WHERE kind = 0 AND filename = ?"
  )
  return {
    starts: (device, after, until, limit) =>
      starts.all(device, after, until, limit).map((row) => Number(row["created"])),
    startBefore: (device, at) => {
      const row = startBefore.get(device, at)
      return row === undefined ? undefined : Number(row["created"])
    },
    lastBefore: (device, at) => {
      const row = lastBefore.get(device, at)
      if (row === undefined) return undefined
      const { created, duration, ends, filename } = row
      return {
        filename: String(filename),
        start: Number(created),
        end: Number(ends),
        isKnown: Number(duration) > 0
      }
    },
    files: (device, from, to, limit) => {
      const first = file.all(lastBefore.get(device, from)?.["filename"] ?? "")
      return [...first, ...between.all(device, from, to, limit)].map(toFile).slice(0, limit)
    },
    noteEnd: (device, at, reason) => {
      noteEnd.run(device, Math.floor(at), reason)
      forgetEnds.run(device)
    },
    reasonOf: (device, from, to) => {
      const row = reasonOf.get(device, from, to)
      return row === undefined ? undefined : String(row["reason"])
    },
    parts: (filename) => {
      const data = parts.get(filename)?.["data"]
      return data instanceof Uint8Array ? data : undefined
    },
    putParts: (filename, data) => void putParts.run(data, filename)
  }
}
