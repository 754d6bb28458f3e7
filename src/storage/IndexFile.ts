import type { DatabaseSync } from "node:sqlite"
import type { Databases } from "../ground/Databases.ts"
import { codeOf, errcodeOf } from "../ground/DiskError.ts"
import { type IndexDatabase, type IndexReads, indexStatements } from "./IndexDatabase.ts"
import { schema, schemaVersion, setOpensFrom, setUp, steps } from "./IndexSchema.ts"
import { type TimelineDatabase, type TimelineReads, timelineStatements } from "./TimelineDatabase.ts"

/** The open index, as it is asked. */
export interface AskedIndex extends IndexReads {
  readonly timeline: TimelineReads
}

/** The open index. */
export interface OpenIndex extends IndexDatabase {
  readonly timeline: TimelineDatabase
  /** into a new file, while it is used */
  readonly copyTo: (path: string) => Promise<void>
  readonly close: () => void
  /** closes without saying that all is well */
  readonly abandon: () => void
  /** before the first change: whether it outlives a power cut is to be seen */
  readonly mark: () => void
}

/** What an index of an earlier version was, until this one has run from its start to its end. */
const keptName = (path: string): string => `${path}.before`

/** The index, as it was found. */
export interface Found {
  readonly database: OpenIndex
  /** it was not there, was damaged, or of a version that this one cannot read, and is begun anew */
  readonly fresh: boolean
  /** what is wrong with the one that was there */
  readonly damage?: unknown
  /** it was a later version's, which this one cannot read */
  readonly newer?: number
  /** the kernel started anew since it was written */
  readonly outlivedPowerCut: boolean
  /** why there is no copy of what it was before it was upgraded */
  readonly notKept?: unknown
}

/** Opens the index, else the copy of what it was before a later version came, else begins one anew. */
export const openIndex = (databases: Databases["Service"], path: string): Found => {
  let newer: number | undefined
  let damage: unknown
  const look = (): Found | undefined => {
    try {
      const { database, version, ...found } = openChecked(databases, path)
      if (version > schemaVersion) newer = version
      return database === undefined ? undefined : { database, fresh: false, ...found }
    } catch (cause) {
      if (!isDamaged(cause) && errcodeOf(cause) !== sqliteError) throw cause
      damage ??= cause
      return undefined
    }
  }
  const found = look() ?? (databases.putBack(keptName(path), path) ? look() : undefined)
  const wrong = damage === undefined ? {} : { damage }
  if (found !== undefined) return { ...found, ...wrong }
  const database = renewIndex(databases, path)
  return { database, fresh: true, outlivedPowerCut: false, ...wrong, ...(newer === undefined ? {} : { newer }) }
}

/** An empty one on no disk, for a disk that has no room for one. */
export const indexInMemory = (databases: Databases["Service"]): OpenIndex => begun(databases, databases.openInMemory())

/** Deletes the index and begins an empty one. */
export const renewIndex = (databases: Databases["Service"], path: string): OpenIndex => {
  databases.remove(path)
  return begun(databases, databases.open(path))
}

const begun = (databases: Databases["Service"], database: DatabaseSync): OpenIndex => {
  try {
    database.exec(setUp)
    database.exec(`BEGIN;${schema}COMMIT`)
    const index = opened(databases, database)
    index.mark()
    return index
  } catch (cause) {
    database.close()
    throw cause
  }
}

/** SQLITE_ERROR: while opening it means that a table is not there. */
const sqliteError = 1

const sqliteCorrupt = 11

/** SQLITE_FULL */
export const isFull = (cause: unknown): boolean => errcodeOf(cause) === 13

/** SQLITE_CORRUPT 11, CANTOPEN 14, NOTADB 26: the file is beyond use. Or it was abandoned, and making it anew failed then. */
export const isDamaged = (cause: unknown): boolean =>
  [sqliteCorrupt, 14, 26].includes(errcodeOf(cause)) || codeOf(cause) === "ERR_INVALID_STATE"

const openChecked = (
  databases: Databases["Service"],
  path: string
): Pick<Found, "outlivedPowerCut" | "notKept"> & { readonly version: number; readonly database?: OpenIndex } => {
  const database = databases.open(path)
  try {
    database.exec(setUp)
    const bootId = databases.bootId()
    const version = Number(database.prepare("PRAGMA user_version").get()?.["user_version"])
    const isKnown = version === schemaVersion || version in steps || opens(database, version)
    const outlivedPowerCut = isKnown && !isTrusted(database, bootId)
    if (isKnown && (!outlivedPowerCut || isSound(database))) {
      if (version === schemaVersion && stateOf(database) === "closed") databases.remove(keptName(path))
      const unkept = version < schemaVersion ? keep(databases, database, path) : {}
      // each step whole or not at all, whoever is killed in it
      for (let from = version; from < schemaVersion; from++) {
        database.exec(`BEGIN;${steps[from] ?? ""}${setOpensFrom}PRAGMA user_version=${from + 1};COMMIT`)
      }
      const index = opened(databases, database)
      markIfRoom(index)
      return { version, outlivedPowerCut, database: index, ...unkept }
    }
    // one without a version is new
    if (isKnown) throw Object.assign(new Error("the index is not sound"), { errcode: sqliteCorrupt })
    database.close()
    return { version, outlivedPowerCut: false }
  } catch (cause) {
    if (database.isOpen) database.close()
    throw cause
  }
}

/** One that a full disk holds can be read. */
const markIfRoom = (index: OpenIndex): void => {
  try {
    index.mark()
  } catch (cause) {
    if (!isFull(cause)) throw cause
  }
}

/** A disk too full for a copy does not stop the start: nothing is in the index but what the files are, and why some end. */
const keep = (databases: Databases["Service"], database: DatabaseSync, path: string): Pick<Found, "notKept"> => {
  try {
    databases.keep(database, keptName(path))
    return {}
  } catch (notKept) {
    return { notKept }
  }
}

/** A later version's index says which versions need not know what is new in it. */
const opens = (database: DatabaseSync, version: number): boolean =>
  version > schemaVersion &&
  Number(database.prepare("SELECT value FROM meta WHERE name = 'opens'").get()?.["value"]) <= schemaVersion

/** Closed properly, or the kernel that held its pages never went down. */
const isTrusted = (database: DatabaseSync, bootId: string): boolean => {
  const state = stateOf(database)
  return state === "closed" || state === bootId
}

const stateOf = (database: DatabaseSync): unknown =>
  database.prepare("SELECT value FROM meta WHERE name = 'state'").get()?.["value"]

/** SQLite looks through it (30 ms for 100,000 files). */
const isSound = (database: DatabaseSync): boolean =>
  database.prepare("PRAGMA quick_check(1)").get()?.["quick_check"] === "ok"

const setState = (database: DatabaseSync, state: string) =>
  database.prepare("INSERT OR REPLACE INTO meta VALUES('state', ?)").run(state)

const opened = (databases: Databases["Service"], database: DatabaseSync): OpenIndex => {
  let isMarked = false
  return {
    ...indexStatements(database),
    timeline: timelineStatements(database),
    copyTo: (path) => databases.copy(database, path),
    mark: () => {
      if (!isMarked) setState(database, databases.bootId())
      isMarked = true
    },
    close: () => {
      try {
        setState(database, "closed")
      } finally {
        database.close()
      }
    },
    abandon: () => {
      if (database.isOpen) database.close()
    }
  }
}
