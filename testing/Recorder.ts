import type { Moment } from "../src/ground/Time.ts"
import type { PathOptions } from "../src/process/MediaMtxReplies.ts"
import type { Outside } from "./MemoryDisk.ts"
import { Refused } from "./MemoryFiles.ts"

/** Where a movie header's duration stands in the files made here: behind ftyp, in the first box of moov. */
const durationAt = 16 + 8 + 24

const box = (type: string, size: number, fields: ReadonlyArray<readonly [at: number, value: number]> = []) => {
  const bytes = new Uint8Array(size)
  const view = new DataView(bytes.buffer)
  view.setUint32(0, size)
  bytes.set(new TextEncoder().encode(type), 4)
  for (const [at, value] of fields) view.setUint32(at, value)
  return bytes
}

/** The start of an fMP4 file that is being written: no duration yet (ISO 14496-12, 8.2.2). */
const mp4Start: ReadonlyArray<Uint8Array> = [
  box("ftyp", 16),
  box("moov", 8, [[0, 8 + 108]]),
  box("mvhd", 108, [[20, 1000]])
]

const padded = (n: number, digits: number) => String(n).padStart(digits, "0")

/** The name that MediaMTX gives a segment that begins then (epoch milliseconds), in UTC. */
const nameAt = (pattern: string, path: string, ms: number): string => {
  const date = new Date(ms)
  const parts: Readonly<Record<string, string>> = {
    "%path": path,
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

/** Go's for errnos (its syscall package). */
const words: Readonly<Record<string, string>> = {
  ENOSPC: "no space left on device",
  EROFS: "read-only file system",
  EIO: "input/output error",
  EMFILE: "too many open files"
}

/** How long MediaMTX waits until it tries again to write (internal/recorder/recorder.go). */
const pauseMillis = 2000

/**
 * MediaMTX's recorder of one publisher: a file that grows while the path says `record`, whole once it is closed. On a full
 * disk it leaves a file without a byte at each try. Files are named by the wall clock; all else goes by the stream's time.
 */
export const makeRecorder = (path: string, { create }: Pick<Outside, "create">, say: (line: string) => void) => {
  let pausedUntil = 0
  let name = ""
  let file: { readonly write: ReturnType<Outside["create"]>; readonly mp4: boolean; readonly since: number } | undefined

  /** `now`: monotonic milliseconds */
  const close = (now: number): void => {
    if (file?.mp4 === true) {
      const duration = new Uint8Array(4)
      new DataView(duration.buffer).setUint32(0, Math.max(1, now - file.since))
      // over bytes that are there: a full disk has room for it
      file.write(duration, durationAt)
    }
    file = undefined
  }

  /** Called again and again while frames come. */
  const look = (options: PathOptions, { monotonic: now, wall }: Moment): void => {
    if (options["record"] !== true) return close(now)
    if (now < pausedUntil) return
    const segmentMs = Number.parseFloat(String(options["recordSegmentDuration"])) * 1000
    if (file !== undefined && now - file.since >= segmentMs) close(now)
    const mp4 = options["recordFormat"] !== "mpegts"
    try {
      if (file === undefined) {
        name = `${nameAt(String(options["recordPath"]), path, wall)}.${mp4 ? "mp4" : "ts"}`
        const write = create(name)
        for (const bytes of mp4 ? mp4Start : [new Uint8Array(188).fill(0x47)]) write(bytes)
        file = { write, mp4, since: now }
      }
      file.write(box("free", 1000))
    } catch (error) {
      if (!(error instanceof Refused)) throw error
      say(`ERR [path ${path}] [recorder] write ${name}: ${words[error.code] ?? error.code}`)
      pausedUntil = now + pauseMillis
      close(now)
    }
  }

  return { look, close }
}
