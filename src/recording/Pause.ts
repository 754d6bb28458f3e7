import { DependencyFailed } from "../../schema/Errors.ts"
import { current, type Draft, finish, say, set, tell } from "./Draft.ts"
import { fail } from "./Ending.ts"

/**
 * Only the reserve is left on the disk, or the disk failed to sync a file: MediaMTX is told to write no more, its file is made
 * whole, and the recording goes on in a new one when there is room, or at once.
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

export const recorderPaused = (draft: Draft): void => {
  const { pause, phase, unsynced } = draft.state
  if (phase !== "RUNNING" || (pause === undefined && unsynced !== "REPLACED")) return
  set(draft, { isWriting: false, unproven: undefined })
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
  if (isWriting) draft.actions.push({ _tag: "ResumeRecorder" })
  else resume(draft, "there is room on the disk again")
}

/** `over`: what is told once its next file grows */
const resume = (draft: Draft, over: string): void => {
  set(draft, { stall: { over, failure: undefined, isRefusal: false } })
  draft.actions.push({ _tag: "ResumeRecorder" })
}

/**
 * The disk failed to sync the file that is written: the kernel takes for written what it could not write, so the file is given
 * up, and MediaMTX begins another one when the disk has synced one. Until then it writes on: that may last all the same.
 */
export const syncFailed = (draft: Draft, filename: string, reason: string): void => {
  const { isWriting, phase } = draft.state
  if (phase !== "RUNNING" || !isWriting || current(draft)?.filename !== filename) return
  set(draft, { unsynced: "GIVEN UP" })
  tell(draft, "RecordingTroubled", reason)
  draft.actions.push({ _tag: "AwaitSync" })
}

export const diskSyncs = (draft: Draft): void => {
  const { isWriting, pause, phase, unsynced } = draft.state
  if (phase !== "RUNNING" || !isWriting || pause !== undefined || unsynced !== "GIVEN UP") return
  set(draft, { unsynced: "REPLACED" })
  draft.actions.push({ _tag: "PauseRecorder", seconds: pauseSeconds })
}
