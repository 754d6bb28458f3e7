import type { RecordingFormat } from "../../schema/Recording.ts"
import type { WrittenFormat } from "../stream/CameraPath.ts"

/** The formats that clients ask for, and what becomes of them on disk. */

/** What MediaMTX writes; the rest is made of it when a segment is whole. */
export const writtenAs: Readonly<Record<RecordingFormat, WrittenFormat>> = {
  fmp4: "fmp4",
  mp4: "fmp4",
  mkv: "fmp4",
  mpegts: "mpegts",
  stanag4609: "mpegts"
}

/** MediaMTX does not write it itself. */
export const isRemuxed = (format: RecordingFormat): format is "mp4" | "mkv" => format === "mp4" || format === "mkv"

const extensions: Readonly<Record<RecordingFormat, string>> = {
  fmp4: "mp4",
  mp4: "mp4",
  mkv: "mkv",
  mpegts: "ts",
  stanag4609: "ts"
}

/** The name that a file which MediaMTX began as `written` has for good, from its first byte on, whatever it holds by now. */
export const segmentName = (written: string, format: RecordingFormat): string =>
  written.replace(/\.[^.]+$/, `.${extensions[format]}`)
