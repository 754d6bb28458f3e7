import { DependencyFailed } from "../../schema/Errors.ts"
import { current, type Draft, finish, say, set } from "./Draft.ts"
import { fail } from "./Ending.ts"

/**
 * Only the reserve is left on the disk: MediaMTX is told to write no more, its file is made whole, and the recording goes
 * on in a new one when there is room.
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
  const { pause, phase } = draft.state
  if (pause === undefined || phase !== "RUNNING") return
  set(draft, { isWriting: false, unproven: undefined })
  const last = current(draft)
  if (last !== undefined) finish(draft, last.filename)
  say(draft, { fact: "RecordingTroubled", reason: pause })
}

export const roomBack = (draft: Draft): void => {
  const { isWriting, pause, phase } = draft.state
  if (pause === undefined) return
  set(draft, { pause: undefined })
  if (phase !== "RUNNING") return
  // nothing was told yet where MediaMTX has not stopped
  const stall = { over: "there is room on the disk again", failure: undefined, isRefusal: false }
  if (!isWriting) set(draft, { stall })
  draft.actions.push({ _tag: "ResumeRecorder" })
}
