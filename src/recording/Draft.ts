import { type Fate, type RecordingFact, remembered, type Segment } from "./Recording.ts"
import type { Action, Earlier, RecordingState, Word } from "./RecordingState.ts"

/** A step in the making. */
export interface Draft {
  state: RecordingState
  readonly actions: Array<Action>
}

export const set = (draft: Draft, change: Partial<RecordingState>): void => {
  draft.state = { ...draft.state, ...change }
}

/** The last segment that was not empty. */
export const current = ({ state }: Draft): Segment | undefined =>
  state.segments.findLast(({ fate }) => fate._tag !== "Empty")

/** Undefined: no file of this recording, or one that is remembered no more. */
export const fateOf = ({ state }: Draft, filename: string): Fate["_tag"] | undefined =>
  state.segments.find((segment) => segment.filename === filename)?.fate._tag

export const settle = (draft: Draft, filename: string, fate: Fate): void =>
  set(draft, {
    segments: draft.state.segments.map((segment) => (segment.filename === filename ? { filename, fate } : segment))
  })

const isOver = ({ fate }: Segment): boolean => fate._tag !== "Written" && fate._tag !== "Finishing"

const add = ({ bytes, flaw, lost, seconds }: Earlier, { fate }: Segment): Earlier => ({
  seconds: seconds + (fate._tag === "Whole" ? fate.file.duration : 0),
  bytes: bytes + (fate._tag === "Whole" ? fate.file.bytes : 0),
  lost: lost ?? (fate._tag === "Lost" ? fate.reason : undefined),
  flaw: flaw ?? (fate._tag === "Whole" ? fate.flaw : undefined)
})

/** All segments, in what they come to. */
export const sum = ({ earlier, segments }: RecordingState): Earlier => segments.reduce(add, earlier)

/** A segment begins; the oldest that are over are forgotten where there are too many. */
export const append = (draft: Draft, filename: string): void => {
  const { earlier, segments } = draft.state
  const forgotten = new Set(segments.filter(isOver).slice(0, -remembered))
  const kept = forgotten.size === 0 ? segments : segments.filter((segment) => !forgotten.has(segment))
  set(draft, {
    segments: [...kept, { filename, fate: { _tag: "Written" } }],
    earlier: [...forgotten].reduce(add, earlier)
  })
}

/** Once for each: as soon as nothing more comes to it. */
export const finish = (draft: Draft, filename: string): void => {
  if (fateOf(draft, filename) !== "Written") return
  settle(draft, filename, { _tag: "Finishing", isRemuxed: false })
  draft.actions.push({ _tag: "Finish", filename })
}

/** Tells what waited for the last file to be whole. */
export const flush = (draft: Draft): void => {
  for (const { fact, reason } of draft.state.words) tell(draft, fact, reason)
  set(draft, { words: [] })
}

/** Tells it, or has it told when the last file is whole. */
export const say = (draft: Draft, word: Word): void => {
  if (current(draft)?.fate._tag === "Finishing") set(draft, { words: [...draft.state.words, word] })
  else tell(draft, word.fact, word.reason)
}

/** Tells it at once, of the last file that was not empty. */
export const tell = (draft: Draft, fact: RecordingFact["_tag"], reason: string | undefined): void => {
  draft.actions.push({ _tag: "Tell", fact, filename: current(draft)?.filename ?? "", reason })
}
