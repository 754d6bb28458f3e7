import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { join } from "node:path"
import { DependencyFailed } from "../../schema/Errors.ts"
import type { Disk } from "../ground/Disk.ts"
import type { DiskError } from "../ground/DiskError.ts"
import type { OpenFile } from "../ground/OpenFile.ts"
import { temporaryPrefix } from "../storage/NewFile.ts"
import { sharedAnswer } from "../storage/SharedAnswer.ts"
import { storageFailed } from "../storage/StorageFailed.ts"

/**
 * Why no bytes come, as the disk shows it. `over`: what is told when they come again. `failure`: what is wrong with the
 * disk; undefined: nothing. `isRefusal`: it refuses to take any, so MediaMTX has given the file up.
 */
export interface Stall {
  readonly over: string
  readonly failure: DependencyFailed | undefined
  readonly isRefusal: boolean
}

/** What MediaMTX writes at once: a part. */
const trialBytes = 65_536
const trialTime = Duration.seconds(2)
/** A disk that fails to sync now and then has recordings begin a new file as seldom. */
const betweenTrials = Duration.seconds(2)

/** Does what MediaMTX does: takes place on the disk. A call that hangs cannot be taken back: it is left behind. */
export const explainStalls = (disk: Disk["Service"], folder: string): Effect.Effect<Stall> => {
  const trial = trialOn(disk, join(folder, `${temporaryPrefix}trial`), () => Effect.void)
  const trying = sharedAnswer(Effect.result(trial))
  return Effect.gen(function* () {
    const tried = yield* Effect.timeoutOption(trying, trialTime)
    if (Option.isNone(tried)) {
      const failure = new DependencyFailed({ dependency: "storage", detail: "the disk does not answer" })
      return { failure, isRefusal: false, over: takesIt }
    }
    if (tried.value._tag === "Success") return { failure: undefined, isRefusal: false, over: writtenAgain }
    const { failure } = tried.value
    yield* Effect.logDebug("the disk takes nothing", failure.cause)
    return refusalOf(failure)
  }).pipe(Effect.withSpan("Segments.explainStall"))
}

const takesIt = "the disk takes it again"
const writtenAgain = "it is written again"

/** Whoever writes was answered this. `code`: the errno's name, or the empty text */
export const refusalOf = (answer: { readonly code: string }): Stall => ({
  failure: storageFailed("write the recording", answer),
  isRefusal: true,
  over: overs[answer.code] ?? takesIt
})

const hasRoom = "there is room on the disk again"
const overs: Readonly<Record<string, string>> = { ENOSPC: hasRoom, EDQUOT: hasRoom, EMFILE: writtenAgain }

/** Returns when the disk has synced a new file: what it failed to sync before says nothing of that. */
export const syncTrials = (disk: Disk["Service"], folder: string): Effect.Effect<void> => {
  const trial = trialOn(disk, join(folder, `${temporaryPrefix}synced`), ({ sync }) => sync)
  const trying = sharedAnswer(Effect.andThen(Effect.sleep(betweenTrials), trial))
  return trying.pipe(Effect.eventually, Effect.withSpan("Segments.awaitSync"))
}

/** Another name each time: one that could not be removed is in nobody's way. */
const trialOn = (disk: Disk["Service"], path: string, then: (file: OpenFile) => Effect.Effect<void, DiskError>) => {
  let trials = 0
  return Effect.suspend(() => {
    const name = `${path}-${trials++}`
    return disk.create(name, 0o600).pipe(
      Effect.tap(({ append }) => append(new Uint8Array(trialBytes))),
      Effect.flatMap(then),
      Effect.scoped,
      Effect.ensuring(Effect.ignore(disk.removeAll(name)))
    )
  })
}
