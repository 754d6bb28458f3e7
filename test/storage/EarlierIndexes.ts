/** What makes an index of today one of an earlier version: its schema as it was then, and its rows. */

const withoutTimeline = `
  DROP TRIGGER recording_came; DROP TRIGGER recording_left; DROP TRIGGER recording_changed; DROP TRIGGER recording_grew;
  DROP INDEX by_start; DROP INDEX stretches; DROP TABLE ends; DROP TABLE parts;
  ALTER TABLE files DROP COLUMN begins; DELETE FROM meta WHERE name = 'opens';`

/** It was another only within its triggers, whose names are the same. */
export const asVersion4 = "PRAGMA user_version=4"

/** Its files claimed all the time from their names to when they were written to last. */
export const asVersion3 = `
  DROP INDEX by_start; CREATE INDEX by_start ON files(device, created, filename, duration, modified) WHERE kind = 0;
  DELETE FROM meta WHERE name = 'opens'; PRAGMA user_version=3`

export const asVersion2 = `${withoutTimeline} PRAGMA user_version=2`

export const asVersion1 = `${withoutTimeline}
  DROP TRIGGER file_left; DROP TRIGGER file_changed; ALTER TABLE files DROP COLUMN beside;
  CREATE TRIGGER file_left AFTER DELETE ON files BEGIN
    UPDATE totals SET files = files - 1, bytes = bytes - old.bytes WHERE kind = old.kind AND device = old.device;
  END;
  CREATE TRIGGER file_changed AFTER UPDATE OF device, bytes ON files BEGIN
    UPDATE totals SET bytes = bytes - old.bytes + new.bytes WHERE kind = old.kind AND device = old.device;
  END;
  PRAGMA user_version=1`
