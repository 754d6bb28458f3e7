import type { CameraId } from "../../schema/Camera.ts"
import type { IndexedFile, Stored } from "./IndexedFile.ts"

/** Which files retention deletes. Pure: the files themselves come from the index, the oldest first. */

/** Why a file is deleted: it is too old, there is too much, or the disk lacks room. */
export type Why = "age" | "size" | "room"

/** Of the files of one camera, or of several together; undefined: no limit. */
export interface Limits {
  readonly maxAgeMillis: number | undefined
  readonly maxBytes: number | undefined
}

/** KEPT: nothing is deleted, for whatever reason. */
export type Rule = Limits | "KEPT"

export interface Rules {
  /** `maxAgeMillis` is for each camera without a rule of its own, `maxBytes` for all that are not kept, together */
  readonly all: Rule
  readonly own: ReadonlyMap<CameraId, Rule>
}

export interface Situation {
  /** epoch milliseconds */
  readonly now: number
  readonly stored: ReadonlyArray<Pick<Stored, "device" | "bytes">>
  /** bytes that have to come free on the disk */
  readonly missing: number
}

/** The oldest files of a camera, or of all that are not kept, go until so many bytes of them are gone. */
export interface Task {
  readonly why: Why
  readonly device: CameraId | undefined
  /** only files that were last written before this, epoch milliseconds */
  readonly before: number
  readonly bytes: number
}

type Candidate = Pick<IndexedFile, "device" | "modified">

/** A file that may be written now, and is not held yet: none that is younger goes for want of room. */
const youngMillis = 60_000

const ruleOf = ({ all, own }: Rules, device: CameraId): Rule => own.get(device) ?? all
const isKept = (rules: Rules, device: CameraId): boolean => ruleOf(rules, device) === "KEPT"

const bytesOf = (stored: Situation["stored"], counts: (device: CameraId) => boolean): number =>
  stored.reduce((sum, { bytes, device }) => sum + (counts(device) ? bytes : 0), 0)

const tooOld = (rules: Rules, { now, stored }: Situation): ReadonlyArray<Task> =>
  [...new Set(stored.map(({ device }) => device))].flatMap((device) => {
    const rule = ruleOf(rules, device)
    if (rule === "KEPT" || rule.maxAgeMillis === undefined) return []
    return [{ why: "age", device, before: now - rule.maxAgeMillis, bytes: Number.POSITIVE_INFINITY }]
  })

const tooMuch = ({ own }: Rules, { now, stored }: Situation): ReadonlyArray<Task> =>
  [...own].flatMap(([device, rule]) => {
    if (rule === "KEPT" || rule.maxBytes === undefined) return []
    const bytes = bytesOf(stored, (one) => one === device) - rule.maxBytes
    return [{ why: "size", device, before: now - youngMillis, bytes }]
  })

const tooMuchTogether = (rules: Rules, { now, stored }: Situation): ReadonlyArray<Task> => {
  if (rules.all === "KEPT" || rules.all.maxBytes === undefined) return []
  const bytes = bytesOf(stored, (device) => !isKept(rules, device)) - rules.all.maxBytes
  return [{ why: "size", device: undefined, before: now - youngMillis, bytes }]
}

const tooLittleRoom = (_rules: Rules, { missing, now }: Situation): ReadonlyArray<Task> => [
  { why: "room", device: undefined, before: now - youngMillis, bytes: missing }
]

/**
 * What there is to do, one after the other, each in the situation that the one before has left: what goes for its age
 * need not go for its size, and what goes of one camera makes room for all.
 */
export const stages: ReadonlyArray<(rules: Rules, situation: Situation) => ReadonlyArray<Task>> = [
  tooOld,
  tooMuch,
  tooMuchTogether,
  tooLittleRoom
]

/** What becomes of the next file of a task, of which so many bytes are gone by now. Done: of those behind it, none goes. */
export const verdict = (task: Task, rules: Rules, gone: number, file: Candidate): "goes" | "stays" | "done" => {
  if (gone >= task.bytes || file.modified >= task.before) return "done"
  return isKept(rules, file.device) ? "stays" : "goes"
}
