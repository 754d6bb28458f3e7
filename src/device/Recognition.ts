import type { CameraId } from "../../schema/Camera.ts"
import type { Identity } from "./Device.ts"

/** The names that were given, and where their cameras were seen last. */
export type NameRecords = ReadonlyMap<CameraId, Identity>

/** A camera that is plugged in. */
export interface Presence {
  readonly identity: Identity
  /** once it is recognised; `isDoubtful`: it may have had another name before */
  readonly named?: { readonly name: CameraId; readonly isDoubtful: boolean }
}

export interface Recognised {
  /** the name that this camera had before; none when it is new, or nobody can tell */
  readonly name?: CameraId
  /** some of the names with its serial number may be its own, and which cannot be told */
  readonly isDoubtful: boolean
  /** others have the same serial number: only where it is plugged in tells it apart */
  readonly isShared: boolean
}

/**
 * Which of the known cameras this is, beside all others that are plugged in. It is the one with its serial number that
 * was last seen at its position, else the only one with its serial number that can have moved: two cameras never have one
 * name, and among twins (makers give one number to all) a camera has a new name rather than the wrong one. The order
 * in which cameras are recognised does not matter, if all that are plugged in are in `others`.
 */
export const recognise = (identity: Identity, others: ReadonlyArray<Presence>, records: NameRecords): Recognised => {
  const { serial } = identity
  const free = new Map(records)
  for (const { named } of others) if (named !== undefined) free.delete(named.name)
  const here = lastSeenAt(free, identity)
  if (serial === undefined) return { ...nameIn(here), isDoubtful: false, isShared: false }
  const twins = others.filter((other) => other.identity.serial === serial)
  const isShared = twins.length > 0 || withSerial(records, serial).length > 1
  if (here !== undefined) return { name: here, isDoubtful: false, isShared }
  let rivals = 0
  for (const { identity: theirs, named } of twins) {
    // those who are where they were are out of the question
    const own = named === undefined ? lastSeenAt(free, theirs) : undefined
    if (own !== undefined) free.delete(own)
    else if (named === undefined || named.isDoubtful) rivals++
  }
  const moved = withSerial(free, serial)
  if (moved.length === 1 && rivals === 0) return { ...nameIn(moved[0]), isDoubtful: false, isShared }
  return { isDoubtful: moved.length > 0, isShared }
}

const lastSeenAt = (records: NameRecords, { position, serial }: Identity): CameraId | undefined => {
  for (const [name, seen] of records) if (seen.serial === serial && seen.position === position) return name
  return undefined
}

const withSerial = (records: NameRecords, serial: string): ReadonlyArray<CameraId> =>
  [...records].flatMap(([name, seen]) => (seen.serial === serial ? [name] : []))

const nameIn = (name: CameraId | undefined) => (name === undefined ? {} : { name })
