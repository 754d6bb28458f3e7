import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { join } from "node:path"
import { DependencyFailed } from "../../schema/Errors.ts"
import type { Disk } from "../ground/Disk.ts"
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

/** Does what MediaMTX does: takes place on the disk. A call that hangs cannot be taken back: it is left behind. */
export const explainStalls = (disk: Disk["Service"], folder: string): Effect.Effect<Stall> => {
  let trials = 0
  const trial = Effect.suspend(() => {
    // another name each time: one that could not be removed is in nobody's way
    const path = join(folder, `${temporaryPrefix}trial-${trials++}`)
    return disk.create(path, 0o600).pipe(
      Effect.flatMap(({ append }) => append(new Uint8Array(trialBytes))),
      Effect.scoped,
      Effect.ensuring(Effect.ignore(disk.removeAll(path)))
    )
  })
  const trying = sharedAnswer(Effect.result(trial))
  return Effect.gen(function* () {
    const tried = yield* Effect.timeoutOption(trying, trialTime)
    const takesIt = "the disk takes it again"
    if (Option.isNone(tried)) {
      const failure = new DependencyFailed({ dependency: "storage", detail: "the disk does not answer" })
      return { failure, isRefusal: false, over: takesIt }
    }
    if (tried.value._tag === "Success") return { failure: undefined, isRefusal: false, over: "it is written again" }
    const { failure } = tried.value
    yield* Effect.logDebug("the disk takes nothing", failure.cause)
    const isFull = failure.code === "ENOSPC" || failure.code === "EDQUOT"
    return {
      failure: storageFailed("write the recording", failure),
      isRefusal: true,
      over: isFull ? "there is room on the disk again" : takesIt
    }
  }).pipe(Effect.withSpan("Segments.explainStall"))
}
