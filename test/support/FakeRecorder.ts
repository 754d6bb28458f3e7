import { closeSync, fstatSync, openSync, writeSync } from "node:fs"
import type { Moment } from "../../src/ground/Time.ts"
import type { PathOptions } from "../../src/process/MediaMtxApi.ts"

/** Where a movie header's duration stands in the files made here: behind ftyp, in the first box of moov. */
const durationAt = 16 + 8 + 24

const box = (type: string, size: number): Buffer => {
  const bytes = Buffer.alloc(size)
  bytes.writeUInt32BE(size, 0)
  bytes.write(type, 4, "latin1")
  return bytes
}

/** The start of an fMP4 file that is being written: no duration yet (ISO 14496-12, 8.2.2). */
const mp4Start = (): Buffer => {
  const mvhd = box("mvhd", 108)
  mvhd.writeUInt32BE(1000, 20)
  const moov = box("moov", 8)
  moov.writeUInt32BE(8 + mvhd.length, 0)
  return Buffer.concat([box("ftyp", 16), moov, mvhd])
}

const padded = (n: number, digits: number) => String(n).padStart(digits, "0")

const nameAt = (pattern: string, camera: string, ms: number): string => {
  const date = new Date(ms)
  const parts: Readonly<Record<string, string>> = {
    "%path": camera,
    "%Y": padded(date.getUTCFullYear(), 4),
    "%m": padded(date.getUTCMonth() + 1, 2),
    "%d": padded(date.getUTCDate(), 2),
    "%H": padded(date.getUTCHours(), 2),
    "%M": padded(date.getUTCMinutes(), 2),
    "%S": padded(date.getUTCSeconds(), 2),
    "%f": padded(Math.floor(ms % 1000) * 1000, 6)
  }
  return pattern.replace(/%path|%[YmdHMSf]/g, (part) => parts[part] ?? part)
}

const write = (handle: number, bytes: Buffer): void => {
  // at the end: the header is written at its own place
  writeSync(handle, bytes, 0, bytes.length, fstatSync(handle).size)
}

/** How long MediaMTX waits until it tries again to write (internal/recorder/recorder.go). */
const pauseMillis = 2000

/**
 * MediaMTX's recorder of one publisher: a file that grows while the path says `record`, whole once it is closed. On a full
 * disk it leaves a file without a byte at each try. Files are named by the wall clock; all else goes by the stream's time.
 */
export const makeRecorder = (camera: string, disk: { readonly isFull: boolean }) => {
  let pausedUntil = 0
  let file: { readonly handle: number; readonly mp4: boolean; readonly since: number } | undefined

  const close = (now: number): void => {
    if (file === undefined) return
    if (file.mp4) {
      const duration = Buffer.alloc(4)
      duration.writeUInt32BE(Math.max(1, now - file.since), 0)
      writeSync(file.handle, duration, 0, 4, durationAt)
    }
    closeSync(file.handle)
    file = undefined
  }

  /** Called again and again while frames come. */
  const look = (options: PathOptions, { monotonic: now, wall }: Moment): void => {
    if (options["record"] !== true) return close(now)
    if (now < pausedUntil) return
    const segmentMs = Number.parseFloat(String(options["recordSegmentDuration"])) * 1000
    if (file !== undefined && now - file.since >= segmentMs) close(now)
    if (disk.isFull) {
      pausedUntil = now + pauseMillis
      if (file !== undefined) return close(now)
    }
    if (file === undefined) {
      const mp4 = options["recordFormat"] !== "mpegts"
      const path = `${nameAt(String(options["recordPath"]), camera, wall)}.${mp4 ? "mp4" : "ts"}`
      const handle = openSync(path, "wx")
      if (disk.isFull) return closeSync(handle)
      file = { handle, mp4, since: now }
      write(file.handle, mp4 ? mp4Start() : Buffer.alloc(188, 0x47))
    }
    write(file.handle, box("free", 1000))
  }

  return { look, close }
}
