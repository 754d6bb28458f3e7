import type { SQLInputValue, SQLOutputValue } from "node:sqlite"
import type { IndexedFile, StoredFile } from "./IndexedFile.ts"
import type { FileKind } from "./Names.ts"

type Row = Record<string, SQLOutputValue>

const kinds = ["recording", "snapshot"] as const
export const kindNumber = (kind: FileKind): number => kinds.indexOf(kind)

export const toKind = (row: Row): FileKind => kinds[Number(row["kind"])] ?? "recording"

export const toFile = (row: Row): StoredFile => ({
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

/** In the order of the columns that are written; `described`: it has been looked into the file. */
export const toValues = (file: IndexedFile, described: boolean): ReadonlyArray<SQLInputValue> => [
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
