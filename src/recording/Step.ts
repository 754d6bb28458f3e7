import type { DependencyFailed } from "../../schema/Errors.ts"
import { failedBy, type Fault } from "../device/Fault.ts"
import { blameSeconds, cameraFaulty, cameraUnplugged, cameraWorks, tellTrouble } from "./CameraTrouble.ts"
import { append, current, type Draft, fateOf, finish, flush, say, set, settle, tell } from "./Draft.ts"
import {
  endInTime,
  fail,
  lookAfter,
  notBegun,
  recorderOff,
  segmentDone,
  segmentWhole,
  serviceEnds,
  stop,
  streamReleased
} from "./Ending.ts"
import { diskSyncs, recorderPaused, roomBack, roomGone, syncFailed } from "./Pause.ts"
import { parseFileName } from "../storage/Names.ts"
import type { CutOff } from "./Recording.ts"
import type { Incident, RecordingState, Stepped, Timer } from "./RecordingState.ts"
import { askDisk, awaitFile, stallExplained, whyNotBegun, writerFailed } from "./Stalled.ts"

/** MediaMTX writes a part every tenth of a second, and one a frame where the camera gives fewer. */
const bytesSeconds = 5
/** A start that is still without bytes so long after its stream is ready has the disk asked once more. */
const askAgainSeconds = 3

/** What follows from an incident. It is the only place where a recording's state changes. */
export const step = (state: RecordingState, incident: Incident): Stepped => {
  const draft: Draft = { state, actions: [] }
  if (state.phase !== "ENDED") take(draft, incident)
  return draft
}

const take = (draft: Draft, incident: Incident): void => {
  switch (incident._tag) {
    case "FileBegan":
      return fileBegan(draft, incident.filename)
    case "FileGrew":
      return fileGrew(draft, incident.filename)
    case "StreamFailed":
      return streamFailed(draft, incident.reason, incident.fault)
    case "StreamClosed":
      return streamClosed(draft)
    case "StreamReady":
      return streamReady(draft)
    case "CameraUnplugged":
      return cameraUnplugged(draft)
    case "CameraFaulty":
      return cameraFaulty(draft, incident.detail)
    case "CameraWorks":
      return cameraWorks(draft)
    case "TimeOver":
      return timeOver(draft, incident.timer)
    case "StallExplained":
      return stallExplained(draft, incident)
    case "WriterFailed":
      return writerFailed(draft, incident.written, incident)
    case "RecorderRefused":
      return recorderRefused(draft, incident.error)
    case "StartCancelled":
      if (draft.state.phase !== "STARTING") return undefined
      return fail(draft, notBegun("nobody waits for its start any more"))
    case "SyncFailed":
      return syncFailed(draft, incident.filename, incident.reason)
    case "DiskSyncs":
      return diskSyncs(draft)
    case "RoomGone":
      return roomGone(draft, incident.reason)
    case "RecorderPaused":
      return recorderPaused(draft, incident.flaw)
    case "RoomBack":
      return roomBack(draft)
    case "StopAsked":
      return stop(draft, undefined)
    case "ServiceEnds":
      return serviceEnds(draft)
    case "RecorderOff":
      return recorderOff(draft, incident.flaw)
    case "StreamReleased":
      return streamReleased(draft)
    case "SegmentRemuxed":
      if (fateOf(draft, incident.filename) === "Finishing") {
        settle(draft, incident.filename, { _tag: "Finishing", isRemuxed: true })
      }
      return
    case "SegmentFinished":
      return segmentWhole(draft, incident)
    case "SegmentFailed":
      return segmentDone(draft, incident.filename, { _tag: "Lost", reason: incident.reason })
    case "SegmentGone":
      return segmentDone(draft, incident.filename, { _tag: "Empty" })
  }
}

// --- files and the stream that they are made of

const fileBegan = (draft: Draft, filename: string): void => {
  const { goesOnAfter, phase, segments } = draft.state
  if (segments.some((segment) => segment.filename === filename)) return
  if (phase === "RUNNING") tellGap(draft)
  const before = current(draft)
  if (before !== undefined && phase !== "STOPPING") finish(draft, before.filename)
  const back = phase === "RUNNING" ? goOn(draft) : undefined
  const over = segments.length === 0 ? (whatIsMissing(goesOnAfter, filename) ?? back) : back
  append(draft, filename)
  // it came while the end was under way
  if (phase === "STOPPING") return draft.state.ending?.isRecorderOff === true ? lookAfter(draft, filename) : undefined
  set(draft, { phase: "RUNNING", isWriting: true })
  draft.actions.push({ _tag: "SetTimer", timer: "bytes", seconds: bytesSeconds })
  if (phase === "STARTING") begin(draft)
  // a disk that has room for a few bytes may have none for the next ones
  const again = whatGoesOn(draft)
  if (typeof draft.state.stall !== "object") set(draft, { stall: undefined })
  if (again !== undefined) return set(draft, { unproven: { reason: over ?? again } })
  tell(draft, "RecordingWriting", over)
}

/** A file's name tells when its first picture came; a clock that was set back says nothing of it. */
const whatIsMissing = (cutOff: CutOff | undefined, filename: string): string | undefined => {
  const since = cutOff?.at ?? Number.POSITIVE_INFINITY
  const seconds = Math.round(((parseFileName(filename)?.startedAt ?? 0) - since) / 1000)
  return seconds > 0 ? `${cutOff?.reason}; ${seconds} s are missing` : cutOff?.reason
}

/** What is told once its file grows, where nothing was written before. */
const whatGoesOn = ({ state: { stall, unproven } }: Draft): string | undefined =>
  unproven?.reason ?? (typeof stall === "object" ? stall.over : undefined)

/** What led to the gap before this file is told before it, if it was not. */
const tellGap = (draft: Draft): void => {
  const { loss, trouble } = draft.state
  flush(draft)
  set(draft, { loss: undefined })
  draft.actions.push({ _tag: "ClearTimer", timer: "blame" })
  // what failed on the way back is no news once it is back
  if (loss !== undefined && trouble?.isTold !== true) tell(draft, "RecordingTroubled", loss)
}

/** The trouble that this file ends; one of which the camera is not free yet stays, and is told anew if it ends this file. */
const goOn = (draft: Draft): string | undefined => {
  const { isGivenUp, isWriting, trouble } = draft.state
  // MediaMTX may be told to stop at this moment: that is not over with it
  set(draft, { isGivenUp: false })
  if (isWriting && isGivenUp) return "it goes on in another file"
  if (isWriting || trouble === undefined) return undefined
  // a fault is over when there is video again; a camera that is still away may have left some behind
  const isOver = trouble.isOver || trouble.kind === "FAULT"
  set(draft, { trouble: isOver ? undefined : { ...trouble, isTold: false } })
  return isOver ? trouble.over : undefined
}

const begin = (draft: Draft): void => {
  const { durationSeconds } = draft.state
  set(draft, { failure: undefined, stall: undefined })
  draft.actions.push({ _tag: "ClearTimer", timer: "start" }, { _tag: "AnswerStart" })
  if (durationSeconds !== undefined) {
    draft.actions.push({ _tag: "SetTimer", timer: "duration", seconds: durationSeconds })
  }
}

const fileGrew = (draft: Draft, filename: string): void => {
  const { isWriting, phase } = draft.state
  if (phase !== "RUNNING" || !isWriting || current(draft)?.filename !== filename) return
  const again = whatGoesOn(draft)
  set(draft, { stall: undefined, unproven: undefined })
  draft.actions.push({ _tag: "SetTimer", timer: "bytes", seconds: bytesSeconds })
  if (again !== undefined) tell(draft, "RecordingWriting", again)
}

/** Who waits for a start is told; one that goes on waits until MediaMTX can be told to write. */
const recorderRefused = (draft: Draft, error: DependencyFailed): void => {
  const { pause, phase, segments } = draft.state
  if (phase === "STARTING") return fail(draft, error)
  if (phase !== "RUNNING" || pause !== undefined || segments.length > 0) return
  draft.actions.push({ _tag: "ResumeRecorder" })
  say(draft, { fact: "RecordingTroubled", reason: error.detail })
}

const streamFailed = (draft: Draft, reason: string, fault: Fault | undefined): void => {
  const { phase } = draft.state
  if (phase === "STOPPING") return
  set(draft, { failure: reason, isStreamLost: true })
  if (phase === "STARTING") {
    // as who asks for the stream alone, who waits for it is told now
    if (fault !== undefined) fail(draft, failedBy(fault))
    return
  }
  set(draft, { stall: undefined, unproven: undefined })
  draft.actions.push({ _tag: "ClearTimer", timer: "bytes" }, { _tag: "AwaitClosed" })
}

const streamClosed = (draft: Draft): void => {
  const { failure, phase, trouble } = draft.state
  if (phase !== "RUNNING" || failure === undefined) return
  set(draft, { isWriting: false, failure: undefined })
  // a camera that is back has nothing to do with what fails now
  if (trouble === undefined || (trouble.isTold && trouble.isOver)) {
    set(draft, { loss: failure })
    draft.actions.push({ _tag: "SetTimer", timer: "blame", seconds: blameSeconds })
  }
  const last = current(draft)
  if (last !== undefined) finish(draft, last.filename)
  tellTrouble(draft)
}

const streamReady = (draft: Draft): void => {
  const { phase } = draft.state
  set(draft, { isStreamLost: false })
  if (phase === "STARTING") draft.actions.push({ _tag: "SetTimer", timer: "bytes", seconds: askAgainSeconds })
  if (phase !== "RUNNING") return
  // the next one publishes, so the one before is gone
  streamClosed(draft)
  if (!draft.state.isWriting) return awaitFile(draft)
  // its file was heard of before it
  draft.actions.push({ _tag: "SetTimer", timer: "bytes", seconds: bytesSeconds })
}

// --- time

const timeOver = (draft: Draft, timer: Timer): void => {
  const { isWriting, loss, phase, resumeSeconds, trouble } = draft.state
  if (timer === "end") return phase === "STOPPING" ? endInTime(draft) : undefined
  if (timer === "start") {
    if (phase === "STARTING") fail(draft, whyNotBegun(draft.state))
    return
  }
  if (timer === "bytes") return askDisk(draft)
  if (phase !== "RUNNING") return
  switch (timer) {
    case "duration":
      return stop(draft, "its duration is over")
    case "away":
      return stop(draft, `the camera did not come back within ${resumeSeconds} s`)
    case "blame":
      set(draft, { loss: undefined })
      return loss === undefined ? undefined : say(draft, { fact: "RecordingTroubled", reason: loss })
    case "calm":
      // its frames never stopped: what ends them later has another cause
      if (trouble?.isOver === true && isWriting) set(draft, { trouble: undefined })
  }
}
