import * as Duration from "effect/Duration"
import type { Live } from "../config/LiveSettings.ts"
import { type FeedPath, publishedPath } from "./FeedPath.ts"

/** What MediaMTX writes itself; the other formats are made of these when a recording stops. */
export type WrittenFormat = "fmp4" | "mpegts"

/** What a camera's path is to be. */
export interface Desired {
  /** what it is recorded in; undefined: it is not */
  readonly format: WrittenFormat | undefined
  /** the settings that it was made with */
  readonly live: Live
  /** those that its recording began with: it would go on in a new file, with a gap, to follow others */
  readonly recording: Live["recording"]
  /** how often who waited at it was sent away */
  readonly dismissals: number
}

/** The options of a MediaMTX path that we set (`/v3/config/paths`); all others have the server's defaults. */
export type CameraPath = FeedPath & {
  readonly record: boolean
  readonly recordPath: string
  readonly recordFormat: WrittenFormat
  readonly recordPartDuration: string
  readonly recordSegmentDuration: string
  readonly recordDeleteAfter: string
}

/** `recordPath`: where MediaMTX's recorder writes, as it wants it */
export const pathOf = ({ dismissals, format, live, recording }: Desired, recordPath: string): CameraPath => ({
  ...publishedPath(live),
  // another path to MediaMTX, which makes it anew, and sends away who waited at the old one
  ...(dismissals % 2 === 0
    ? {}
    : { runOnDemandStartTimeout: `${Duration.toMillis(live.streams.start_timeout_seconds) + 1}ms` }),
  record: format !== undefined,
  recordPath,
  recordFormat: format ?? "fmp4",
  recordPartDuration: `${Duration.toMillis(recording.part_milliseconds)}ms`,
  recordSegmentDuration: `${Duration.toSeconds(recording.segment_seconds)}s`,
  recordDeleteAfter: "0s"
})

const unitMillis: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 }

/** Milliseconds of a Go duration; MediaMTX gives `3600s` back as `1h0m0s`, and `0s` as the empty text. */
const durationMillis = (text: string): number | undefined => {
  if (text === "") return 0
  if (!/^(\d+(\.\d+)?(ms|s|m|h|d))+$/.test(text)) return undefined
  let total = 0
  for (const [, amount, unit] of text.matchAll(/([\d.]+)(ms|s|m|h|d)/g)) {
    total += Number(amount) * (unitMillis[unit ?? ""] ?? 0)
  }
  return total
}

const same = (wanted: unknown, present: unknown): boolean => {
  if (typeof wanted !== "string" || typeof present !== "string") {
    return JSON.stringify(wanted) === JSON.stringify(present)
  }
  const millis = durationMillis(wanted)
  return wanted === present || (millis !== undefined && millis === durationMillis(present))
}

/** The options in which a path is not what we make it: those that we set, and those that stand at another value than the server's default. */
export const differences = (
  wanted: CameraPath,
  defaults: Readonly<Record<string, unknown>>,
  present: Readonly<Record<string, unknown>>
): ReadonlyArray<string> => {
  const whole: Readonly<Record<string, unknown>> = { ...defaults, ...wanted }
  return [...new Set([...Object.keys(whole), ...Object.keys(present)])].filter((key) => !same(whole[key], present[key]))
}

/** A path as MediaMTX has it, and what it has where nothing was set. */
interface Present {
  readonly defaults: Readonly<Record<string, unknown>>
  readonly present: Readonly<Record<string, unknown>>
}

/** Whether who waited was sent away is no difference to put right: who reads now would go, and a recording have a gap. */
export const withDismissals = (
  wanted: Desired,
  pathOf: (wanted: Desired) => CameraPath,
  { defaults, present }: Present
): Desired => {
  const other = { ...wanted, dismissals: wanted.dismissals + 1 }
  const differing = (of: Desired) => differences(pathOf(of), defaults, present).length
  return differing(other) < differing(wanted) ? other : wanted
}
