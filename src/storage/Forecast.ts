import { dayMillis } from "../ground/Time.ts"
import type { Rules } from "./RetentionPlan.ts"

/** How fast files come, and when there is no room for more. Pure; times are epoch milliseconds. */

/** What came within less says nothing of a day. */
const leastMillis = 60_000
/** Later than in a hundred years is never. */
const mostDays = 36_500

/** Bytes a day, as these came until now; 0: there are none, or they are too new. */
export const growthOf = (
  files: ReadonlyArray<{ readonly bytes: number; readonly created: number }>,
  now: number
): number => {
  const span = now - files.reduce((oldest, { created }) => Math.min(oldest, created), now)
  if (span < leastMillis) return 0
  return (files.reduce((sum, { bytes }) => sum + bytes, 0) / span) * dayMillis
}

export interface Outlook {
  readonly now: number
  readonly bytesPerDay: number
  /** bytes that all files have now, and that may still be written */
  readonly stored: number
  readonly room: number
  /** whether the oldest files go where room is short */
  readonly keepsRoom: boolean
  readonly rules: Rules
}

/** When nothing more may be written if it goes on like that; undefined: never, or not within a hundred years. */
export const fullAt = ({ bytesPerDay, keepsRoom, now, room, rules: { all }, stored }: Outlook): number | undefined => {
  if (room <= 0) return now
  if (bytesPerDay <= 0) return undefined
  if (all !== "KEPT") {
    const byAge = all.maxAgeMillis === undefined ? undefined : (bytesPerDay * all.maxAgeMillis) / dayMillis
    const most = Math.min(all.maxBytes ?? Number.POSITIVE_INFINITY, byAge ?? Number.POSITIVE_INFINITY)
    if (keepsRoom || most - stored < room) return undefined
  }
  const days = room / bytesPerDay
  return days > mostDays ? undefined : now + days * dayMillis
}
