import type { Why } from "./RetentionPlan.ts"

/** What a cleanup did. */
export interface Cleanup {
  readonly files: number
  readonly bytes: number
  /** how many files went for what */
  readonly reasons: Readonly<Record<Why, number>>
  /** files that somebody held, and that stay */
  readonly inUse: number
}

/** A cleanup that was asked for. */
export interface Cleaned extends Cleanup {
  /** false: nothing may be deleted */
  readonly isOn: boolean
  /** what it went by, for people */
  readonly limits: string
}

/** A cleanup under way. */
export interface Tally {
  files: number
  bytes: number
  readonly reasons: Record<Why, number>
  /** by their names */
  readonly held: Set<string>
  /** those of them that somebody downloads */
  readonly downloaded: Set<string>
  failures: number
}

export const startTally = (): Tally => ({
  files: 0,
  bytes: 0,
  reasons: { age: 0, size: 0, room: 0 },
  held: new Set(),
  downloaded: new Set(),
  failures: 0
})

/** What it has done so far. */
export const doneOf = ({ bytes, files, held, reasons }: Tally): Cleanup => ({ files, bytes, reasons, inUse: held.size })
