import { DependencyFailed } from "../../schema/Errors.ts"
import { current, type Draft, fateOf, finish, flush, set, settle, sum, tell } from "./Draft.ts"
import type { Fate } from "./Recording.ts"
import type { Ending, Incident } from "./RecordingState.ts"

/** From the reason why a recording ends to its last word. */

/** All but remuxes, which take what they take; clients wait no longer than 10 s. */
const stopSeconds = 9
/** The service has 10 s for its whole end, of which FFmpeg and MediaMTX may take 2 s each afterwards. */
const serviceEndSeconds = 5
/** MediaMTX answers within milliseconds; until it has, it writes on. */
const offSeconds = 3
/** At the service's end its streams end too: MediaMTX closes a file as well when nobody publishes any more. */
const serviceOffSeconds = 1

export const notBegun = (detail: string) => new DependencyFailed({ dependency: "mediamtx", detail })

/** A recording that has not begun does not: what it may have left is removed. */
export const fail = (draft: Draft, failure: DependencyFailed): void =>
  endFor(draft, { reason: undefined, failure }, offSeconds)

/** `within`: seconds that MediaMTX may take to say that it writes no more. One that has not begun fails. */
export const stop = (draft: Draft, reason: string | undefined, within = offSeconds): void => {
  if (draft.state.phase === "STARTING") return fail(draft, notBegun(reason ?? "it was stopped before it began"))
  if (draft.state.phase === "RUNNING") endFor(draft, { reason, failure: undefined }, within)
}

export const serviceEnds = (draft: Draft): void => {
  for (const { fate, filename } of draft.state.segments) {
    if (fate._tag === "Finishing") settle(draft, filename, { _tag: "Finishing", isRemuxed: false })
  }
  draft.actions.push({ _tag: "GiveUpRemuxes" })
  stop(draft, "the service is ending", serviceOffSeconds)
  draft.actions.push({ _tag: "SetTimer", timer: "end", seconds: serviceEndSeconds })
}

const endFor = (draft: Draft, why: Pick<Ending, "reason" | "failure">, within: number): void => {
  const ending = { ...why, flaw: undefined, isRecorderOff: false, isStreamReleased: false }
  set(draft, { phase: "STOPPING", isWriting: false, words: [], ending })
  draft.actions.push(
    { _tag: "ClearTimers" },
    { _tag: "SetTimer", timer: "end", seconds: stopSeconds },
    { _tag: "TurnRecorderOff", seconds: within }
  )
}

/** The recorder closes its file before the stream may end. */
export const recorderOff = (draft: Draft, flaw: string | undefined): void => {
  const { ending, segments } = draft.state
  if (ending === undefined || ending.isRecorderOff) return
  set(draft, { ending: { ...ending, flaw, isRecorderOff: true } })
  draft.actions.push({ _tag: "ReleaseStream" })
  for (const { filename } of segments) lookAfter(draft, filename)
}

/** Nothing more comes to this file: it is made whole, or removed where the recording failed. */
export const lookAfter = (draft: Draft, filename: string): void => {
  if (draft.state.ending?.failure === undefined) return finish(draft, filename)
  if (fateOf(draft, filename) !== "Written") return
  settle(draft, filename, { _tag: "Finishing", isRemuxed: false })
  draft.actions.push({ _tag: "Discard", filename })
}

export const streamReleased = (draft: Draft): void => {
  const { ending } = draft.state
  if (ending === undefined) return
  set(draft, { ending: { ...ending, isStreamReleased: true } })
  endWhenDone(draft)
}

/** What is not done by now waits for a disk or a program that does not answer. A remux does what it was asked for. */
export const endInTime = (draft: Draft): void => {
  const { ending, segments } = draft.state
  if (ending === undefined) return
  const flaw = ending.isRecorderOff ? ending.flaw : "MediaMTX did not say that it writes no more"
  set(draft, { ending: { ...ending, flaw, isRecorderOff: true, isStreamReleased: true } })
  for (const { fate, filename } of segments) {
    const isLate = fate._tag === "Written" || (fate._tag === "Finishing" && !fate.isRemuxed)
    if (isLate) settle(draft, filename, { _tag: "Lost", reason: "the disk did not answer in time" })
  }
  endWhenDone(draft)
}

const endWhenDone = (draft: Draft): void => {
  const { ending, phase, segments } = draft.state
  if (phase !== "STOPPING" || ending === undefined || !ending.isRecorderOff || !ending.isStreamReleased) return
  if (segments.some(({ fate }) => fate._tag === "Written" || fate._tag === "Finishing")) return
  const files = segments.flatMap(({ fate }) => (fate._tag === "Whole" ? [fate.file] : []))
  const all = sum(draft.state)
  const failure = ending.failure ?? (all.bytes === 0 ? nothingLeft(all.lost) : undefined)
  const flaw = all.lost ?? all.flaw ?? ending.flaw
  const reasons = [ending.reason, flaw].filter((text) => text !== undefined)
  set(draft, { phase: "ENDED" })
  if (failure === undefined) tell(draft, "RecordingEnded", reasons.length === 0 ? undefined : reasons.join("; "))
  else tell(draft, "RecordingFailed", failure.detail)
  draft.actions.push(
    { _tag: "ClearTimers" },
    { _tag: "End", files: failure === undefined ? files : [], failure, reason: flaw }
  )
}

const nothingLeft = (lost: string | undefined): DependencyFailed | undefined =>
  lost === undefined ? undefined : new DependencyFailed({ dependency: "storage", detail: lost })

export const segmentWhole = (
  draft: Draft,
  { file: { bytes, duration }, filename, flaw }: Extract<Incident, { _tag: "SegmentFinished" }>
): void => segmentDone(draft, filename, { _tag: "Whole", file: { filename, duration, bytes }, flaw })

export const segmentDone = (draft: Draft, filename: string, fate: Fate): void => {
  if (fateOf(draft, filename) !== "Finishing") return
  const isCurrent = current(draft)?.filename === filename
  settle(draft, filename, fate)
  if (draft.state.phase === "RUNNING" && isCurrent) flush(draft)
  endWhenDone(draft)
}
