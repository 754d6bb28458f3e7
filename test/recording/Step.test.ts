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

const limits = {
  resumeSeconds: 60,
  startSeconds: 10,
  durationSeconds: undefined as number | undefined,
  goesOnAfter: undefined as string | undefined
}

const file = (filename: string) => ({
  kind: "recording" as const,
  filename,
  device: "camera0",
  bytes: 1000,
  modified: 0,
  created: 0,
  duration: 1,
  codec: "h264",
  width: 640,
  height: 480
})

const began = (filename: string): Incident => ({ _tag: "FileBegan", filename })
const grew = (filename: string): Incident => ({ _tag: "FileGrew", filename })
const failed = (reason: string): Incident => ({ _tag: "StreamFailed", reason })
const over = (timer: Timer): Incident => ({ _tag: "TimeOver", timer })
const faulty: Incident = { _tag: "CameraFaulty", detail: "opened by obs" }
const just = (
  _tag: "StreamClosed" | "StreamReady" | "RecorderPaused" | "RoomBack" | "CameraUnplugged" | "CameraWorks"
): Incident => ({ _tag })
const stop: Incident = { _tag: "StopAsked" }
const off = (flaw?: string): Incident => ({ _tag: "RecorderOff", flaw })
const released: Incident = { _tag: "StreamReleased" }
const finished = (filename: string, flaw?: string): Incident => ({
  _tag: "SegmentFinished",
  filename,
  file: file(filename),
  flaw
})
const lost = (filename: string): Incident => ({ _tag: "SegmentFailed", filename, reason: "the disk reports an error" })
const storage = (detail: string) => new DependencyFailed({ dependency: "storage", detail })
const full: Incident = {
  _tag: "StallExplained",
  failure: storage("no space is left on the disk"),
  over: "there is room on the disk again",
  isRefusal: true
}
const idle: Incident = {
  _tag: "StallExplained",
  failure: undefined,
  over: "it is written again",
  isRefusal: false
}
const hung: Incident = {
  _tag: "StallExplained",
  failure: storage("the disk does not answer"),
  over: "the disk takes it again",
  isRefusal: false
}

/** An action in a few words. */
const shown = (action: Action): string => {
  switch (action._tag) {
    case "Tell":
      return `${action.fact.slice("Recording".length)} ${action.filename || "-"}${action.reason === undefined ? "" : `: ${action.reason}`}`
    case "SetTimer":
      return `${action.timer} in ${action.seconds} s`
    case "ClearTimer":
      return `no ${action.timer}`
    case "TurnRecorderOff":
      return `${action._tag} in ${action.seconds} s`
    case "Finish":
    case "Discard":
      return `${action._tag} ${action.filename}`
    case "End":
      return `End${action.files.map((one) => ` ${one.filename}`).join("")}${action.failure === undefined ? "" : ` (${action.failure.detail})`}`
    default:
      return action._tag
  }
}

const after = (incidents: ReadonlyArray<Incident>, of: Partial<typeof limits> = {}): RecordingState => {
  let { state } = starting({ ...limits, ...of })
  for (const incident of incidents) state = step(state, incident).state
  return state
}

interface Row {
  readonly name: string
  readonly after: ReadonlyArray<Incident>
  readonly incident: Incident
  readonly actions: ReadonlyArray<string>
  readonly phase?: RecordingState["phase"]
  readonly limits?: Partial<typeof limits>
}

const away = "the camera was unplugged; the recording goes on by itself if it is back within 60 s"
const fault = "the camera has a fault: opened by obs; the recording goes on by itself when it works again"
const running = [began("a")]
const waiting = [...running, just("CameraUnplugged"), failed("ended"), just("StreamClosed"), finished("a")]
const ended = ["ClearTimers", "end in 9 s", "TurnRecorderOff in 3 s"]
const stalled = [...running, over("bytes"), full, finished("a")]

const gone: Incident = { _tag: "RoomGone", reason: "only the reserve is left" }
const paused = just("RecorderPaused")
const waitingForRoom = [...running, gone, paused, finished("a")]

const table: ReadonlyArray<Row> = [
  // the start
  {
    name: "the first bytes are the start",
    after: [],
    incident: began("a"),
    actions: ["bytes in 5 s", "no start", "AnswerStart", "Writing a"],
    phase: "RUNNING"
  },
  {
    name: "a start for a while lasts from its first bytes on",
    after: [],
    incident: began("a"),
    actions: ["bytes in 5 s", "no start", "AnswerStart", "duration in 60 s", "Writing a"],
    limits: { durationSeconds: 60 }
  },
  { name: "a camera that goes before them ends it", after: [], incident: just("CameraUnplugged"), actions: ended },
  { name: "no bytes in time end it", after: [failed("broken")], incident: over("start"), actions: ended },
  { name: "who does not wait ends it", after: [], incident: { _tag: "StartCancelled" }, actions: ended },
  { name: "who goes as it begins ends it too", after: running, incident: { _tag: "StartCancelled" }, actions: ended },
  {
    name: "what it left is discarded",
    after: [just("CameraUnplugged"), began("a")],
    incident: off(),
    actions: ["ReleaseStream", "Discard a"]
  },
  {
    name: "its last word is why",
    after: [failed("broken"), over("start"), off()],
    incident: released,
    actions: ["Failed -: broken", "ClearTimers", "End (broken)"],
    phase: "ENDED"
  },
  { name: "a disk that takes nothing ends it at once", after: [], incident: full, actions: ended },
  { name: "one that takes it is no news", after: [], incident: idle, actions: [] },
  {
    name: "its stream is ready, and bytes are waited for",
    after: [idle],
    incident: just("StreamReady"),
    actions: ["bytes in 3 s"]
  },
  {
    name: "where none come, the disk is asked again",
    after: [idle, just("StreamReady")],
    incident: over("bytes"),
    actions: ["ExplainStall"]
  },
  {
    name: "a disk that is full by then ends it",
    after: [idle, just("StreamReady"), over("bytes")],
    incident: full,
    actions: ended
  },
  { name: "one that does not answer is waited for", after: [], incident: hung, actions: [] },
  {
    name: "and named when the time is over",
    after: [hung, over("start"), off()],
    incident: released,
    actions: ["Failed -: the disk does not answer", "ClearTimers", "End (the disk does not answer)"],
    phase: "ENDED"
  },
  {
    name: "one that answers after all keeps no start",
    after: [hung],
    incident: began("a"),
    actions: ["bytes in 5 s", "no start", "AnswerStart", "Writing a"],
    phase: "RUNNING"
  },
  {
    name: "a camera's fault meanwhile is no news",
    after: [],
    incident: faulty,
    actions: ["no away", "no blame", "no calm"]
  },

  // files
  {
    name: "the next file finishes the one before",
    after: running,
    incident: began("b"),
    actions: ["no blame", "Finish a", "bytes in 5 s", "Writing b"]
  },
  { name: "a file begins once", after: running, incident: began("a"), actions: [] },
  { name: "bytes are waited for anew", after: running, incident: grew("a"), actions: ["bytes in 5 s"] },
  { name: "an older file's bytes say nothing", after: [...running, began("b")], incident: grew("a"), actions: [] },

  // the stream
  {
    name: "a stream that ends has its file closed",
    after: running,
    incident: failed("ended"),
    actions: ["no bytes", "AwaitClosed"]
  },
  {
    name: "it is finished, and the camera asked",
    after: [...running, failed("ended")],
    incident: just("StreamClosed"),
    actions: ["blame in 1 s", "Finish a"]
  },
  {
    name: "the next stream says that the file is closed, too",
    after: [...running, failed("ended")],
    incident: just("StreamReady"),
    actions: ["blame in 1 s", "Finish a", "bytes in 10 s"]
  },
  {
    name: "what nobody else is to blame for is told",
    after: [...running, failed("ended"), just("StreamClosed"), finished("a")],
    incident: over("blame"),
    actions: ["Troubled a: ended"]
  },
  {
    name: "it is told when the file is whole",
    after: [...running, failed("ended"), just("StreamClosed"), over("blame")],
    incident: finished("a"),
    actions: ["Troubled a: ended"]
  },
  {
    name: "or before the next file begins",
    after: [...running, failed("ended"), just("StreamClosed"), over("blame")],
    incident: began("b"),
    actions: ["Troubled a: ended", "no blame", "bytes in 5 s", "Writing b"]
  },
  {
    name: "a stream that is back at once has its end told first",
    after: [...running, failed("ended"), just("StreamClosed")],
    incident: began("b"),
    actions: ["no blame", "Troubled a: ended", "bytes in 5 s", "Writing b"]
  },

  // the camera
  {
    name: "a camera that goes while its file is written is told when that is closed",
    after: running,
    incident: just("CameraUnplugged"),
    actions: ["away in 60 s", "no blame", "no calm"]
  },
  {
    name: "it is to blame for the stream's end",
    after: [...running, failed("ended"), just("StreamClosed"), finished("a")],
    incident: just("CameraUnplugged"),
    actions: ["away in 60 s", "no blame", "no calm", `Waiting a: ${away}`]
  },
  {
    name: "the file first, then the word",
    after: waiting.slice(0, -1),
    incident: finished("a"),
    actions: [`Waiting a: ${away}`]
  },
  {
    name: "it is back when there is video",
    after: [...waiting, just("CameraWorks")],
    incident: began("b"),
    actions: ["no blame", "bytes in 5 s", "Writing b: the camera is back"]
  },
  { name: "it is not waited for any more", after: waiting, incident: just("CameraWorks"), actions: ["no away"] },
  {
    name: "it was away for too long",
    after: waiting,
    incident: over("away"),
    actions: ended,
    phase: "STOPPING"
  },
  {
    name: "where it may not be waited for it is the end",
    after: [...running, failed("ended"), just("StreamClosed"), finished("a")],
    incident: just("CameraUnplugged"),
    actions: ["no blame", "no calm", ...ended],
    limits: { resumeSeconds: 0 }
  },
  {
    name: "a fault is told",
    after: [...running, failed("ended"), just("StreamClosed"), finished("a")],
    incident: faulty,
    actions: ["no away", "no blame", "no calm", `Troubled a: ${fault}`]
  },
  {
    name: "a camera whose frames never stopped was never away",
    after: [...running, just("CameraUnplugged"), just("CameraWorks"), over("calm"), failed("ended")],
    incident: just("StreamClosed"),
    actions: ["blame in 1 s", "Finish a"]
  },

  // the disk
  {
    name: "a file that does not grow is asked about",
    after: running,
    incident: over("bytes"),
    actions: ["ExplainStall"]
  },
  {
    name: "a full disk is told, when what it has is whole",
    after: [...running, over("bytes"), full],
    incident: finished("a"),
    actions: ["Troubled a: no space is left on the disk"]
  },
  {
    name: "a file that waits only is not finished",
    after: [...running, over("bytes")],
    incident: idle,
    actions: ["Troubled a: nothing is written"]
  },
  {
    name: "the first bytes on a disk that was full prove nothing",
    after: stalled,
    incident: began("b"),
    actions: ["no blame", "bytes in 5 s"]
  },
  {
    name: "the next ones do",
    after: [...stalled, began("b")],
    incident: grew("b"),
    actions: ["bytes in 5 s", "Writing b: there is room on the disk again"]
  },
  {
    name: "what did not come for another reason than the disk comes again",
    after: [...running, over("bytes"), idle, began("b")],
    incident: grew("b"),
    actions: ["bytes in 5 s", "Writing b: it is written again"]
  },
  {
    name: "a disk that hung and takes the same file again",
    after: [...running, over("bytes"), hung],
    incident: grew("a"),
    actions: ["bytes in 5 s", "Writing a: the disk takes it again"]
  },
  {
    name: "bytes that came meanwhile need no reason",
    after: [...running, over("bytes"), grew("a")],
    incident: full,
    actions: []
  },
  {
    name: "a stream without a first file is asked about",
    after: [...waiting, just("StreamReady")],
    incident: over("bytes"),
    actions: ["ExplainStall"]
  },

  // the disk's reserve
  { name: "MediaMTX is told to write no more", after: running, incident: gone, actions: ["PauseRecorder"] },
  { name: "once", after: [...running, gone], incident: gone, actions: [] },
  { name: "then its file is made whole", after: [...running, gone], incident: paused, actions: ["Finish a"] },
  {
    name: "and what it waits for is told",
    after: waitingForRoom.slice(0, -1),
    incident: finished("a"),
    actions: ["Troubled a: only the reserve is left"]
  },
  { name: "what does not come meanwhile is not missed", after: waitingForRoom, incident: over("bytes"), actions: [] },
  {
    name: "nor after the stream was away",
    after: [...waitingForRoom, failed("ended"), just("StreamClosed"), just("StreamReady")],
    incident: over("bytes"),
    actions: []
  },
  { name: "room has it go on", after: waitingForRoom, incident: just("RoomBack"), actions: ["ResumeRecorder"] },
  {
    name: "which is told when its next file grows",
    after: [...waitingForRoom, just("RoomBack"), began("b")],
    incident: grew("b"),
    actions: ["bytes in 5 s", "Writing b: there is room on the disk again"]
  },
  { name: "room that was never gone is no news", after: running, incident: just("RoomBack"), actions: [] },
  {
    name: "room that is back before MediaMTX was told is none either",
    after: [...running, gone, just("RoomBack")],
    incident: paused,
    actions: []
  },
  {
    name: "and a file that grew on is no news",
    after: [...running, gone, just("RoomBack")],
    incident: grew("a"),
    actions: ["bytes in 5 s"]
  },
  { name: "a stop meanwhile is one", after: waitingForRoom, incident: stop, actions: ended, phase: "STOPPING" },
  { name: "a start is refused for it", after: [], incident: gone, actions: ended },

  // the end
  { name: "a stop turns the recorder off first", after: running, incident: stop, actions: ended, phase: "STOPPING" },
  { name: "its time is over", after: running, incident: over("duration"), actions: ended },
  {
    name: "the files next, while the stream is given back",
    after: [...running, stop],
    incident: off(),
    actions: ["ReleaseStream", "Finish a"]
  },
  {
    name: "one that came late belongs to it",
    after: [...running, stop, began("b")],
    incident: off(),
    actions: ["ReleaseStream", "Finish a", "Finish b"]
  },
  {
    name: "one that came later still, too",
    after: [...running, stop, off()],
    incident: began("b"),
    actions: ["Finish b"]
  },
  {
    name: "the last word when all is whole",
    after: [...running, stop, off(), released],
    incident: finished("a"),
    actions: ["Ended a", "ClearTimers", "End a"],
    phase: "ENDED"
  },
  {
    name: "the stream is waited for",
    after: [...running, stop, off(), finished("a")],
    incident: released,
    actions: ["Ended a", "ClearTimers", "End a"]
  },
  {
    name: "what is not as it should be is told",
    after: [...running, over("duration"), off(), released],
    incident: finished("a", "a file may not outlive a power cut"),
    actions: ["Ended a: its duration is over; a file may not outlive a power cut", "ClearTimers", "End a"]
  },
  {
    name: "a recorder that may write on is told",
    after: [...running, stop, off("MediaMTX may write on"), released],
    incident: finished("a"),
    actions: ["Ended a: MediaMTX may write on", "ClearTimers", "End a"]
  },
  {
    name: "one lost file of two is told",
    after: [...running, began("b"), finished("a"), stop, off(), released],
    incident: lost("b"),
    actions: ["Ended b: the disk reports an error", "ClearTimers", "End a"]
  },
  {
    name: "no file left is a failure",
    after: [...running, stop, off(), released],
    incident: lost("a"),
    actions: ["Failed a: the disk reports an error", "ClearTimers", "End (the disk reports an error)"]
  },
  {
    name: "an empty file is none",
    after: [...running, began("b"), finished("a"), stop, off(), released],
    incident: { _tag: "SegmentGone", filename: "b" },
    actions: ["Ended a", "ClearTimers", "End a"]
  },
  {
    name: "the service's end leaves no time to remux",
    after: running,
    incident: { _tag: "ServiceEnds" },
    actions: ["GiveUpRemuxes", "ClearTimers", "end in 9 s", "TurnRecorderOff in 1 s", "end in 5 s"]
  },
  {
    name: "nor to a stop that is under way",
    after: [...running, stop, off(), { _tag: "SegmentRemuxed", filename: "a" }],
    incident: { _tag: "ServiceEnds" },
    actions: ["GiveUpRemuxes", "end in 5 s"]
  },
  {
    name: "what hangs is left behind",
    after: [...running, began("b"), finished("a"), stop],
    incident: over("end"),
    actions: ["Ended b: the disk did not answer in time", "ClearTimers", "End a"],
    phase: "ENDED"
  },
  {
    name: "a remux is not",
    after: [...running, stop, off(), { _tag: "SegmentRemuxed", filename: "a" }],
    incident: over("end"),
    actions: [],
    phase: "STOPPING"
  }
]

describe("a step of a recording", () => {
  for (const row of table) {
    it(row.name, () => {
      const { actions, state } = step(after(row.after, row.limits), row.incident)
      assert.deepEqual(actions.map(shown), row.actions)
      if (row.phase !== undefined) assert.strictEqual(state.phase, row.phase)
    })
  }
})

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
  fc.constantFrom<Incident>(gone, paused, just("RoomBack")),
  fc.constantFrom<Incident>(
    stop,
    { _tag: "ServiceEnds" },
    { _tag: "StartCancelled" },
    { _tag: "RecorderRefused", error }
  ),
  fc.constantFrom<Incident>(off(), released)
)

/** All that is done from the start on, and then until the end: what is waited for comes, or does not come in time. */
const played = (story: ReadonlyArray<Incident>, resumeSeconds: number) => {
  const begun = starting({ ...limits, resumeSeconds })
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

describe("whatever happens to a recording, in whatever order", () => {
  const holds = (name: string, promise: (actions: ReadonlyArray<Action>, state: RecordingState) => void) =>
    it(name, () => {
      fc.assert(
        fc.property(fc.array(incidents, { maxLength: 60 }), fc.constantFrom(0, 60), (story, resumeSeconds) => {
          const { actions, state } = played(story, resumeSeconds)
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
