import * as fc from "fast-check"
import { assert, describe, it } from "vitest"
import { DependencyFailed } from "../../schema/Errors.ts"
import {
  type Action,
  type Incident,
  type RecordingState,
  starting,
  type Timer
} from "../../src/recording/RecordingState.ts"
import { sum } from "../../src/recording/Draft.ts"
import { step } from "../../src/recording/Step.ts"
import {
  after,
  began,
  failed,
  faulty,
  finished,
  full,
  gone,
  grew,
  idle,
  just,
  lost,
  notPaused,
  off,
  over,
  paused,
  released,
  shown,
  stop,
  limits,
  unsynced,
  writerFailed
} from "./StepWords.ts"

describe("a recording of months in hours", () => {
  const hours = 3000
  /** Each file is whole when the next one has begun; the last one is being written. */
  const until = (count: number) =>
    Array.from({ length: count }, (_, i) => (i === 0 ? [began("0")] : [began(`${i}`), finished(`${i - 1}`)])).flat()

  it("remembers the files of its last weeks alone", () => {
    const { segments } = after(until(hours))
    assert.isAtMost(segments.length, 1002)
    assert.deepInclude(segments.at(-1), { filename: `${hours - 1}`, fate: { _tag: "Written" } })
  })

  it("tells at its end what they all come to", () => {
    const { actions, state } = step(after([...until(hours), stop, off(), released]), finished(`${hours - 1}`))
    assert.deepInclude(sum(state), { seconds: hours, bytes: hours * 1000, lost: undefined })
    const last = actions.at(-1)
    assert.strictEqual(last?._tag === "End" ? last.files.at(-1)?.filename : "", `${hours - 1}`)
  })

  it("knows at its end that its first file was lost, and forgets none that is not whole yet", () => {
    const story = [began("0"), began("1"), lost("0"), began("2"), ...until(hours).slice(5)]
    const { segments } = after(story)
    assert.deepInclude(segments[0], { filename: "1", fate: { _tag: "Finishing", isRemuxed: false } })
    assert.isAtMost(segments.length, 1003)
    assert.deepEqual(
      step(after([...story, stop, off(), released, finished("1")]), finished(`${hours - 1}`)).actions.map(shown)[0],
      `Ended ${hours - 1}: the disk reports an error`
    )
  })
})

const names = fc.constantFrom("a", "b", "c", "d")
const error = new DependencyFailed({ dependency: "mediamtx", detail: "refused" })
const incidents: fc.Arbitrary<Incident> = fc.oneof(
  { arbitrary: names.map(began), weight: 4 },
  { arbitrary: names.map(grew), weight: 2 },
  { arbitrary: names.map((name) => finished(name)), weight: 3 },
  names.map(lost),
  names.map((filename): Incident => ({ _tag: "SegmentGone", filename })),
  names.map((filename): Incident => ({ _tag: "SegmentRemuxed", filename })),
  fc.constant(failed("ended")),
  fc.constantFrom(just("StreamClosed"), just("StreamReady"), just("CameraUnplugged"), just("CameraWorks"), faulty),
  fc.constantFrom<Timer>("start", "duration", "away", "blame", "calm", "bytes", "end").map(over),
  fc.constantFrom<Incident>(full, idle),
  fc.constantFrom<Incident>(gone, paused, notPaused, just("RoomBack")),
  names.map(writerFailed),
  fc.oneof(names.map(unsynced), fc.constant(just("DiskSyncs"))),
  fc.constantFrom<Incident>(
    stop,
    { _tag: "ServiceEnds" },
    { _tag: "StartCancelled" },
    { _tag: "RecorderRefused", error }
  ),
  fc.constantFrom<Incident>(off(), released)
)

/** All that is done from the start on, and then until the end: what is waited for comes, or does not come in time. */
const played = (story: ReadonlyArray<Incident>, of: Partial<typeof limits>) => {
  const begun = starting({ ...limits, ...of })
  const actions = [...begun.actions]
  let { state } = begun
  const take = (incident: Incident): void => {
    const next = step(state, incident)
    state = next.state
    actions.push(...next.actions)
  }
  for (const incident of story) take(incident)
  for (const incident of [stop, { _tag: "ServiceEnds" } as const, over("end")]) take(incident)
  return { actions, state }
}

const starts = fc.record({
  resumeSeconds: fc.constantFrom(0, 60),
  goesOnAfter: fc.constantFrom(undefined, { reason: "the service crashed", at: undefined })
})

describe("whatever happens to a recording, in whatever order", () => {
  const holds = (name: string, promise: (actions: ReadonlyArray<Action>, state: RecordingState) => void) =>
    it(name, () => {
      fc.assert(
        fc.property(fc.array(incidents, { maxLength: 60 }), starts, (story, of) => {
          const { actions, state } = played(story, of)
          promise(actions, state)
        }),
        { numRuns: 2000 }
      )
    })
  const toldIn = (actions: ReadonlyArray<Action>) => actions.filter((action) => action._tag === "Tell")
  const isLast = (fact: string) => fact === "RecordingEnded" || fact === "RecordingFailed"

  holds("it ends, with one last word and nothing after it", (actions, { phase }) => {
    const told = toldIn(actions)
    assert.strictEqual(phase, "ENDED")
    assert.lengthOf(
      told.filter(({ fact }) => isLast(fact)),
      1
    )
    assert.isTrue(isLast(told.at(-1)?.fact ?? ""))
    assert.strictEqual(actions.at(-1)?._tag, "End")
    assert.lengthOf(
      actions.filter(({ _tag }) => _tag === "End"),
      1
    )
  })

  holds("each file is made whole or discarded at most once", (actions) => {
    const done = actions.flatMap((action) =>
      action._tag === "Finish" || action._tag === "Discard" ? [action.filename] : []
    )
    assert.deepEqual(done, [...new Set(done)])
  })

  holds("each file is told of once when it is written, and again only after something was wrong", (actions) => {
    let wasWrong = false
    const seen = new Set<string>()
    for (const { fact, filename } of toldIn(actions)) {
      if (fact === "RecordingWriting") {
        assert.isTrue(wasWrong || !seen.has(filename), filename)
        seen.add(filename)
        wasWrong = false
      } else wasWrong ||= fact === "RecordingTroubled" || fact === "RecordingWaiting"
    }
  })

  holds("the start is answered once, before the first word that a file is written", (actions) => {
    const answers = actions.flatMap(({ _tag }, index) => (_tag === "AnswerStart" ? [index] : []))
    const writes = actions.findIndex((action) => action._tag === "Tell" && action.fact === "RecordingWriting")
    assert.isAtMost(answers.length, 1)
    if (writes >= 0) assert.isBelow(answers[0] ?? Number.POSITIVE_INFINITY, writes)
  })

  holds("the recorder is turned off once, and before the stream is given back", (actions) => {
    const at = (tag: Action["_tag"]) => actions.flatMap(({ _tag }, index) => (_tag === tag ? [index] : []))
    assert.lengthOf(at("TurnRecorderOff"), 1)
    for (const released of at("ReleaseStream")) assert.isAbove(released, at("TurnRecorderOff")[0] ?? 0)
  })

  holds("it gives the files that were made whole, each once", (actions) => {
    const end = actions.at(-1)
    const files = end?._tag === "End" ? end.files.map(({ filename }) => filename) : []
    assert.deepEqual(files, [...new Set(files)])
    const finishes = actions.flatMap((action) => (action._tag === "Finish" ? [action.filename] : []))
    for (const filename of files) assert.include(finishes, filename)
  })
})

const pauses = fc.constantFrom(gone, just("RoomBack"), over("bytes"))

describe("a recording that says it is written", () => {
  it("is asked about where nothing comes, whatever happened to it", () => {
    fc.assert(
      fc.property(fc.array(fc.oneof(incidents, pauses), { maxLength: 60 }), (story) => {
        let { state } = starting(limits)
        let isMissed = false
        let last: string | undefined
        for (const incident of story) {
          if (incident._tag === "TimeOver" && incident.timer === "bytes") {
            if (!isMissed) continue
            isMissed = false
          }
          const { actions, state: next } = step(state, incident)
          state = next
          for (const action of actions) {
            if (action._tag === "Tell") last = action.fact
            if (action._tag === "ClearTimers") isMissed = false
            if (action._tag === "SetTimer" && action.timer === "bytes") isMissed = true
            if (action._tag === "ClearTimer" && action.timer === "bytes") isMissed = false
          }
          const { isReplacing, isStreamLost, pause, phase, stall, words } = state
          if (phase !== "RUNNING" || last !== "RecordingWriting" || words.length > 0) continue
          assert.isTrue(isMissed || stall === "ASKED" || isStreamLost || isReplacing || pause !== undefined)
        }
      }),
      { numRuns: 2000 }
    )
  })
})

describe("a recording whose stream is lost", () => {
  it("is not asked about, whatever of its files is heard of late", () => {
    fc.assert(
      fc.property(fc.array(fc.oneof(incidents, pauses), { maxLength: 60 }), (story) => {
        let { state } = starting(limits)
        for (const incident of story) {
          const { actions, state: next } = step(state, incident)
          const isAsked = actions.some(({ _tag }) => _tag === "ExplainStall")
          assert.isFalse(isAsked && state.phase === "RUNNING" && state.isStreamLost)
          state = next
        }
      }),
      { numRuns: 2000 }
    )
  })
})

/** What happens to a recording whose disk fails to sync now and then, each to the file that is written by then. */
const syncTroubles = fc.constantFrom<(count: number) => Incident>(
  (count) => began(`${count + 1}`),
  (count) => unsynced(`${count}`),
  () => just("DiskSyncs"),
  () => just("DiskSyncs"),
  () => paused,
  () => notPaused,
  () => gone,
  () => just("RoomBack"),
  () => failed("ended"),
  () => just("StreamClosed"),
  (count) => writerFailed(`${count}`)
)

/** Plays it as it can be: what answers an action comes while that is under way alone. Told of each step, and what is under way. */
const playedTruly = (
  life: ReadonlyArray<(count: number) => Incident>,
  stepped: (
    incident: Incident,
    state: RecordingState,
    asked: ReadonlyArray<string>,
    underWay: ReadonlySet<string>
  ) => void
): void => {
  let state = after([began("0")])
  const underWay = new Set<string>()
  for (const happens of life) {
    const incident = happens(state.segments.length - 1)
    const action = answered[incident._tag]
    if (action !== undefined && !underWay.delete(action)) continue
    const next = step(state, incident)
    state = next.state
    const asked = next.actions.map(({ _tag }) => _tag)
    if (asked.includes("ResumeRecorder")) underWay.delete("PauseRecorder")
    for (const tag of asked) underWay.add(tag)
    stepped(incident, state, asked, underWay)
  }
}

const answered: { readonly [tag in Incident["_tag"]]?: Action["_tag"] } = {
  RecorderPaused: "PauseRecorder",
  DiskSyncs: "AwaitSync"
}

describe("a recording whose disk fails to sync now and then", () => {
  const lives = fc.array(syncTroubles, { minLength: 40, maxLength: 80 })
  const holds = (name: string, promise: Parameters<typeof playedTruly>[1]) =>
    it(name, () => {
      fc.assert(
        fc.property(lives, (life) => playedTruly(life, promise)),
        { numRuns: 1000 }
      )
    })

  holds("has MediaMTX write again as soon as that has stopped, where there is room", (incident, { pause }, asked) => {
    if (incident._tag === "RecorderPaused" && pause === undefined) assert.include(asked, "ResumeRecorder")
  })

  holds("never leaves a file that it gave up to itself", (_, { isGivenUp, isWriting, pause }, __, underWay) => {
    if (!isGivenUp || !isWriting || pause !== undefined) return
    assert.isTrue(underWay.has("AwaitSync") || underWay.has("PauseRecorder"))
  })
})
