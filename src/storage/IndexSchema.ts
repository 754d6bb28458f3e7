import { timelineMended, timelineSchema, timelineUpgrade } from "./TimelineDatabase.ts"

/**
 * SQLite as the index wants it, all synchronous and short. `synchronous=OFF`: nothing here waits for the disk, because
 * all of it can be read from the disk again. WAL: a commit writes one place, and a kill -9 within it leaves the state
 * before. Only a power cut can leave nonsense, and is known by the boot id that then differs.
 */
export const setUp = `
PRAGMA locking_mode=EXCLUSIVE;
PRAGMA journal_mode=WAL;
PRAGMA synchronous=OFF;
PRAGMA wal_autocheckpoint=250;
PRAGMA temp_store=MEMORY;
`

export const schemaVersion = 5

/**
 * The least version that opens an index of ours: what came since is added (columns that have a default, tables, triggers), and
 * does not matter to who does not know it. It stands in `meta`, for the version before.
 */
const opensFrom = 4
export const setOpensFrom = `INSERT OR REPLACE INTO meta VALUES('opens', '${opensFrom}');`

const beside = `
ALTER TABLE files ADD COLUMN beside INTEGER NOT NULL DEFAULT 0;
CREATE TRIGGER file_left AFTER DELETE ON files BEGIN
  UPDATE totals SET files = files - 1, bytes = bytes - old.bytes - old.beside
    WHERE kind = old.kind AND device = old.device;
END;
CREATE TRIGGER file_changed AFTER UPDATE OF device, bytes, beside ON files BEGIN
  UPDATE totals SET files = files - 1, bytes = bytes - old.bytes - old.beside
    WHERE kind = old.kind AND device = old.device;
  INSERT INTO totals VALUES(new.kind, new.device, 1, new.bytes + new.beside)
    ON CONFLICT DO UPDATE SET files = files + 1, bytes = bytes + excluded.bytes;
END;
`

/** `by_time` ends in the device, so that pages far back of some cameras are counted off in the index alone. */
export const schema = `
CREATE TABLE meta(name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE files(
  kind INTEGER NOT NULL, filename TEXT NOT NULL, device TEXT NOT NULL, bytes INTEGER NOT NULL, modified INTEGER NOT NULL,
  created REAL NOT NULL, duration REAL NOT NULL, codec TEXT NOT NULL, width INTEGER NOT NULL, height INTEGER NOT NULL,
  described INTEGER NOT NULL, begins INTEGER NOT NULL DEFAULT 0, PRIMARY KEY(kind, filename)) WITHOUT ROWID;
CREATE INDEX by_time ON files(kind, modified, filename, device);
CREATE INDEX by_device ON files(kind, device, modified, filename);
CREATE INDEX undescribed ON files(kind, modified) WHERE described = 0;
CREATE TABLE totals(
  kind INTEGER NOT NULL, device TEXT NOT NULL, files INTEGER NOT NULL, bytes INTEGER NOT NULL,
  PRIMARY KEY(kind, device)) WITHOUT ROWID;
CREATE TRIGGER file_came AFTER INSERT ON files BEGIN
  INSERT INTO totals VALUES(new.kind, new.device, 1, new.bytes)
    ON CONFLICT DO UPDATE SET files = files + 1, bytes = bytes + excluded.bytes;
END;
${timelineSchema}
${beside}
${setOpensFrom}
PRAGMA user_version=${schemaVersion};
`

/** By the version that a step begins with: nobody has to look into every recording again. */
export const steps: Readonly<Record<number, string>> = {
  // something beside files counts with them
  1: `DROP TRIGGER file_left; DROP TRIGGER file_changed; ${beside}`,
  2: timelineUpgrade,
  3: timelineMended,
  4: timelineMended
}
