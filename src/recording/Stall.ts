import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { join } from "node:path"
import { DependencyFailed } from "../../schema/Errors.ts"
import type { Disk } from "../ground/Disk.ts"
import { temporaryPrefix } from "../storage/NewFile.ts"
import { sharedAnswer } from "../storage/SharedAnswer.ts"
import { storageFailed } from "../storage/StorageFailed.ts"
import { trialOn } from "./Trial.ts"

/**
 * Why no bytes come, as the disk shows it. `over`: what is told when they come again. `failure`: what is wrong with the
 * disk; undefined: nothing. `isRefusal`: it refuses to take any, so MediaMTX has given the file up.
 */
export interface Stall {
  readonly over: string
  readonly failure: DependencyFailed | undefined
  readonly isRefusal: boolean
}

const trialTime = Duration.seconds(2)

/** Tries it. A call that hangs cannot be taken back: it is left behind. */
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
