import type { DependencyFailed } from "../../schema/Errors.ts"
import { current, type Draft, finish, say, set } from "./Draft.ts"
import { fail, notBegun } from "./Ending.ts"
import type { RecordingState } from "./RecordingState.ts"
import type { Stall } from "./Stall.ts"

/** What becomes of a recording of which nothing is written although there is a stream. */

/** A camera's own H.264 may bring a keyframe every few seconds only, and a file begins with one. */
const fileSeconds = 10

export const whyNotBegun = ({ failure, stall }: RecordingState): DependencyFailed =>
  (typeof stall === "object" ? stall.failure : undefined) ?? notBegun(failure ?? "no bytes came to the disk in time")

/** MediaMTX is to write from now on: where there is a stream, a file is missed if none comes in time. */
export const awaitFile = (draft: Draft): void => {
  if (draft.state.isStreamLost) return
  draft.actions.push({ _tag: "SetTimer", timer: "bytes", seconds: fileSeconds })
}

/** No bytes came for a while: of a stream that is lost none are to come, though the last of its file is heard of late. */
export const askDisk = (draft: Draft): void => {
  const { isStreamLost, pause, phase, stall } = draft.state
  // at the start a disk that did not answer may have been slow for a moment
  const isKnown = phase === "STARTING" ? stall === "ASKED" : stall !== undefined
  if (isStreamLost || pause !== undefined || isKnown || phase === "STOPPING") return
  // what a start knows of it stands until the answer
  if (stall === undefined) set(draft, { stall: "ASKED" })
  draft.actions.push({ _tag: "ExplainStall" })
}

export const stallExplained = (draft: Draft, { failure, isRefusal, over }: Stall): void => {
  const { phase, stall } = draft.state
  if (phase === "STARTING") {
    if (failure !== undefined && isRefusal) return fail(draft, failure)
    return set(draft, { stall: failure === undefined ? undefined : { failure, isRefusal, over } })
  }
  if (phase !== "RUNNING" || stall !== "ASKED") return
  set(draft, { stall: { failure, isRefusal, over } })
  const last = current(draft)
  if (isRefusal && last !== undefined) {
    set(draft, { isWriting: false })
    finish(draft, last.filename)
  }
  say(draft, { fact: "RecordingTroubled", reason: failure?.detail ?? "nothing is written" })
}

/** MediaMTX says so itself, at once; that it goes on is told when a file grows again. */
export const writerFailed = (draft: Draft, written: string, { failure, isRefusal, over }: Stall): void => {
  const { isWriting, pause, phase, stall } = draft.state
  if (phase === "STARTING" && failure !== undefined) return fail(draft, failure)
  if (phase !== "RUNNING" || pause !== undefined) return
  const last = current(draft)
  // it may be heard late, when MediaMTX writes the next one: their names are in order
  if (last !== undefined && stemOf(last.filename) > stemOf(written)) return
  const isTold = typeof stall === "object" && stall.failure !== undefined
  if (isTold && !isWriting) return
  set(draft, { stall: isTold ? stall : { failure, isRefusal, over }, isWriting: false, unproven: undefined })
  if (last !== undefined) finish(draft, last.filename)
  if (!isTold) say(draft, { fact: "RecordingTroubled", reason: failure?.detail ?? "nothing is written" })
}

/** A file is remuxed under another extension. */
const stemOf = (filename: string): string => filename.replace(/\.[^.]*$/, "")
