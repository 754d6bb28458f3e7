import type { CameraId } from "../../schema/Camera.ts"
import type { SnapshotFormat } from "../../schema/Snapshot.ts"

/** File names, `cameraN_YYYY-MM-DD_HH-MM-SS[_xxxxxx].ext`: the start in UTC, the fraction in microseconds. */

/** The two sorts of files that are kept, each in its own folder. */
export type FileKind = "recording" | "snapshot"

/** Never a path, never an option, never hidden; a name that breaks this is not looked for on the disk. */
export const isFileName = (name: string): boolean => /^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/.test(name)

const twoFolders = { recording: "recordings", snapshot: "snapshots" } as const

/** Where a client gets the file: a path on this server. */
export const filePath = (kind: FileKind, filename: string): string => `/files/${twoFolders[kind]}/${filename}`

/** `2026-01-02_03-04-05`, UTC, from epoch milliseconds. */
const stamp = (ms: number): string => new Date(ms).toISOString().slice(0, 19).replace("T", "_").replaceAll(":", "-")

/** The name of a file that began at `ms` (epoch milliseconds, a fraction of which is kept to the microsecond). */
export const fileName = (device: CameraId, ms: number, extension: string): string => {
  // a double holds epoch milliseconds to 0.0002; rounding must not reach into the next second
  const microseconds = Math.min(Math.round((ms - Math.floor(ms / 1000) * 1000) * 1000), 999_999)
  return `${device}_${stamp(ms)}_${String(microseconds).padStart(6, "0")}.${extension}`
}

const pattern = /^(camera[0-9]{1,9})_(\d{4}-\d{2}-\d{2})_(\d{2})-(\d{2})-(\d{2})(?:[_-](\d{6}))?\.([A-Za-z0-9]+)$/

/** What a name of that form says: the camera, the start in epoch milliseconds, the extension in lower case. */
export const parseFileName = (
  name: string
): { readonly device: CameraId; readonly startedAt: number; readonly extension: string } | undefined => {
  const [, device, day, hours, minutes, seconds, microseconds, extension] = pattern.exec(name) ?? []
  if (device === undefined || extension === undefined) return undefined
  const whole = Date.parse(`${day}T${hours}:${minutes}:${seconds}Z`)
  if (Number.isNaN(whole)) return undefined
  return { device, startedAt: whole + Number(microseconds ?? 0) / 1000, extension: extension.toLowerCase() }
}

const sidecarEnding = ".klv.jsonl"

/** What lies beside a recording and belongs to it: what its camera told meanwhile. It is no recording itself. */
export const sidecarOf = (recording: string): string => `${recording}${sidecarEnding}`

/** Whose sidecar it is; undefined: it is none. */
export const ownerOf = (name: string): string | undefined =>
  name.endsWith(sidecarEnding) ? name.slice(0, -sidecarEnding.length) : undefined

/** Lower case, without the dot; empty when there is none. */
export const extensionOf = (name: string): string => {
  const dot = name.lastIndexOf(".")
  return dot < 1 ? "" : name.slice(dot + 1).toLowerCase()
}

const snapshotFormats: Readonly<Record<string, SnapshotFormat>> = { jpg: "jpg", jpeg: "jpg", png: "png" }

/** The format that a snapshot's name asks for; undefined when its extension is none of a picture. */
export const snapshotFormatOf = (name: string): SnapshotFormat | undefined => snapshotFormats[extensionOf(name)]

export const matroska = "video/x-matroska"

const contentTypes: Readonly<Record<FileKind, Readonly<Record<string, string>>>> = {
  recording: { mp4: "video/mp4", ts: "video/mp2t", mkv: matroska },
  snapshot: { jpg: "image/jpeg", jpeg: "image/jpeg", png: "image/png" }
}

/** The media type by extension; undefined when it is none of ours, and the file then is no recording or snapshot. */
export const contentTypeOf = (kind: FileKind, name: string): string | undefined => contentTypes[kind][extensionOf(name)]
