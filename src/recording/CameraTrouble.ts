import { DependencyFailed } from "../../schema/Errors.ts"
import { type Draft, say, set } from "./Draft.ts"
import { fail, stop } from "./Ending.ts"
import { goesOn } from "./Recording.ts"
import type { CameraTrouble } from "./RecordingState.ts"

/** What becomes of a recording whose camera goes away, or has a fault, and of one whose camera is back. */

/**
 * FFmpeg ends up to 130 ms after its camera is gone (measured), and the kernel's word of it comes within 25 ms: on a busy
 * machine after that end.
 */
export const blameSeconds = 1

export const cameraUnplugged = (draft: Draft): void => {
  const { phase, resumeSeconds } = draft.state
  if (phase === "STARTING") {
    return fail(draft, new DependencyFailed({ dependency: "camera", detail: "the camera was unplugged" }))
  }
  if (phase !== "RUNNING") return
  if (resumeSeconds > 0) draft.actions.push({ _tag: "SetTimer", timer: "away", seconds: resumeSeconds })
  const then = `; ${goesOn} if it is back within ${resumeSeconds} s`
  const reason = `the camera was unplugged${resumeSeconds > 0 ? then : ""}`
  troubled(draft, { kind: "AWAY", reason, over: "the camera is back", isTold: false, isOver: false })
}

export const cameraFaulty = (draft: Draft, detail: string): void => {
  if (draft.state.phase === "STOPPING") return
  const reason = `the camera has a fault: ${detail}; ${goesOn} when it works again`
  draft.actions.push({ _tag: "ClearTimer", timer: "away" })
  troubled(draft, { kind: "FAULT", reason, over: "the camera works again", isTold: false, isOver: false })
}

const troubled = (draft: Draft, trouble: CameraTrouble): void => {
  set(draft, { trouble, loss: undefined })
  draft.actions.push({ _tag: "ClearTimer", timer: "blame" }, { _tag: "ClearTimer", timer: "calm" })
  // while something is written its end is waited for: the file is told of when it is whole
  if (draft.state.phase === "RUNNING" && !draft.state.isWriting) tellTrouble(draft)
}

export const cameraWorks = (draft: Draft): void => {
  const { isWriting, phase, trouble } = draft.state
  if (phase === "STOPPING" || trouble === undefined) return
  draft.actions.push({ _tag: "ClearTimer", timer: "away" })
  if (phase === "STARTING") return set(draft, { trouble: undefined })
  set(draft, { trouble: { ...trouble, isOver: true } })
  if (isWriting) draft.actions.push({ _tag: "SetTimer", timer: "calm", seconds: blameSeconds })
}

/** Once for each trouble. A recording that does not wait for its camera ends with it. */
export const tellTrouble = (draft: Draft): void => {
  const { resumeSeconds, trouble } = draft.state
  if (trouble === undefined || trouble.isTold) return
  if (trouble.kind === "AWAY" && resumeSeconds === 0) return stop(draft, trouble.reason)
  set(draft, { trouble: { ...trouble, isTold: true } })
  say(draft, { fact: trouble.kind === "AWAY" ? "RecordingWaiting" : "RecordingTroubled", reason: trouble.reason })
}
