import * as Clock from "effect/Clock"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Scope from "effect/Scope"
import { DependencyFailed } from "../../schema/Errors.ts"
import type { FileIndex } from "../storage/FileIndex.ts"
import { sum } from "./Draft.ts"
import { filesLeft } from "./FilesLeft.ts"
import type { Stopped } from "./Recording.ts"
import type { OwnRun } from "./RecordingRun.ts"
import type { Action } from "./RecordingState.ts"

/** Gives what ends one recording: whoever waits for it is answered, and all that it has is given back. */
export const makeEnd = (
  index: FileIndex["Service"],
  { ended, lease, recording, scope, started, state }: OwnRun,
  areFilesKnown: () => boolean
) =>
  Effect.fnUntraced(function* ({ failure, files, reason }: Extract<Action, { _tag: "End" }>) {
    const endedAt = yield* Clock.currentTimeMillis
    const stopped: Stopped = { recording, endedAt, ...(yield* filesLeft(index, files, state().earlier)), reason }
    yield* Deferred.done(started, Exit.fail(failure ?? notStarted))
    yield* Deferred.done(ended, failure === undefined ? Exit.succeed(stopped) : Exit.fail(failure))
    // what still waits for a disk that hangs is left behind: nobody waits for it
    const closed = Effect.andThen(Scope.close(lease, Exit.void), Scope.close(scope, Exit.void))
    // of a file that was given up the index knows what it was when it began, and of one that was not seen nothing
    const isDoubtful = !areFilesKnown() || sum(state()).lost !== undefined
    yield* Effect.forkDetach(isDoubtful ? Effect.andThen(closed, index.doubt) : closed)
  })

/** What a start is answered that nobody waits for any more. */
const notStarted = new DependencyFailed({ dependency: "mediamtx", detail: "the recording is over" })
