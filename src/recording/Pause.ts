import { DependencyFailed } from "../../schema/Errors.ts"
import { folderAway, folderBack } from "../storage/FolderPresence.ts"
import { current, type Draft, finish, say, set, tell } from "./Draft.ts"
import { fail } from "./Ending.ts"
import { awaitFile } from "./Stalled.ts"

/**
 * Only the reserve is left on the disk, or that is away, or it failed to sync a file: MediaMTX is told to write no more, its
 * file is made whole, and the recording goes on in a new one when there is room, or at once.
 */

/** MediaMTX answers within milliseconds; one that does not is told again when it does. */
const pauseSeconds = 3

export const roomGone = (draft: Draft, reason: string): void => {
  const { pause, phase } = draft.state
  if (phase === "STARTING") return fail(draft, new DependencyFailed({ dependency: "storage", detail: reason }))
  if (phase !== "RUNNING" || pause !== undefined) return
  set(draft, { pause: reason })
  draft.actions.push({ _tag: "PauseRecorder", seconds: pauseSeconds })
}

/** `flaw`: it may write on, so its file is not over: what the disk failed to sync is tried to be replaced again. */
export const recorderPaused = (draft: Draft, flaw: string | undefined): void => {
  const { isReplacing, isWriting, pause, phase } = draft.state
  if (phase !== "RUNNING" || (pause === undefined && !isReplacing)) return
  if (pause === undefined && isWriting && flaw !== undefined) return writesOn(draft)
  set(draft, { isWriting: false, unproven: undefined, isGivenUp: false, isReplacing: false })
  const last = current(draft)
  if (last !== undefined) finish(draft, last.filename)
  if (pause !== undefined) return say(draft, { fact: "RecordingTroubled", reason: pause })
  resume(draft, "the disk takes it again")
}

export const roomBack = (draft: Draft): void => {
  const { isWriting, pause, phase } = draft.state
  if (pause === undefined) return
  set(draft, { pause: undefined })
  if (phase !== "RUNNING") return
  // nothing was told yet where MediaMTX has not stopped
  if (isWriting) return writesOn(draft)
  set(draft, { isReplacing: false })
  resume(draft, pause === folderAway ? folderBack : "there is room on the disk again")
}

/** MediaMTX was to stop, and is not to any more. Told to write again it is all the same: it may stop late. */
const writesOn = (draft: Draft): void => {
  set(draft, { isReplacing: false })
  draft.actions.push({ _tag: "ResumeRecorder" })
  awaitFile(draft)
  if (draft.state.isGivenUp) draft.actions.push({ _tag: "AwaitSync" })
}

/** `over`: what is told once its next file grows */
const resume = (draft: Draft, over: string): void => {
  set(draft, { stall: undefined, unproven: { reason: over } })
  draft.actions.push({ _tag: "ResumeRecorder" })
  awaitFile(draft)
}

/**
 * The disk failed to sync the file that is written: the kernel takes for written what it could not write, so the file is given
 * up, and MediaMTX begins another one when the disk has synced one. Until then it writes on: that may last all the same.
 */
export const syncFailed = (draft: Draft, filename: string, reason: string): void => {
  const { isReplacing, isWriting, phase } = draft.state
  if (phase !== "RUNNING" || !isWriting || current(draft)?.filename !== filename) return
  set(draft, { isGivenUp: true })
  tell(draft, "RecordingTroubled", reason)
  if (!isReplacing) draft.actions.push({ _tag: "AwaitSync" })
}

export const diskSyncs = (draft: Draft): void => {
  const { isGivenUp, isReplacing, isWriting, pause, phase } = draft.state
  if (phase !== "RUNNING" || !isWriting || pause !== undefined || !isGivenUp || isReplacing) return
  set(draft, { isReplacing: true })
  draft.actions.push({ _tag: "PauseRecorder", seconds: pauseSeconds })
}
