import * as Effect from "effect/Effect"
import { join } from "node:path"
import type { Disk } from "../ground/Disk.ts"
import { monotonicMillis } from "../ground/Time.ts"
import { temporaryPrefix } from "../storage/NewFile.ts"
import { sharedAnswer } from "../storage/SharedAnswer.ts"
import { trialOn } from "./Trial.ts"

/** Twice as long after each trial: a disk that syncs a trial and no recording has each begin a new file as seldom. */
const leastMillis = 2000
const mostMillis = 60_000
/** Who asks so long after the last trial has had a file that was synced meanwhile. */
const calmMillis = 60_000

/** Returns when the disk has synced a new file: what it failed to sync before says nothing of that. */
export const syncTrials = (disk: Disk["Service"], folder: string): Effect.Effect<void> => {
  const trying = sharedAnswer(trialOn(disk, join(folder, `${temporaryPrefix}synced`), ({ sync }) => sync))
  let triedAt = 0
  let nextAt = 0
  let waitMillis = leastMillis
  /** Gives how long it is until the next trial, to all who ask before it. */
  const untilNext = Effect.map(monotonicMillis, (now) => {
    if (now < nextAt) return nextAt - now
    if (now - triedAt >= calmMillis) waitMillis = leastMillis
    nextAt = now + waitMillis
    waitMillis = Math.min(2 * waitMillis, mostMillis)
    return nextAt - now
  })
  const tried = Effect.map(monotonicMillis, (now) => {
    triedAt = now
  })
  return untilNext.pipe(Effect.flatMap(Effect.sleep), Effect.andThen(Effect.ensuring(trying, tried)), Effect.eventually)
}
