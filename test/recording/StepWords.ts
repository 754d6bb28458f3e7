import { assert, describe, it } from "vitest"
import { DependencyFailed } from "../../schema/Errors.ts"
import type { CutOff } from "../../src/recording/Recording.ts"
import {
  type Action,
  type Incident,
  type RecordingState,
  starting,
  type Timer
} from "../../src/recording/RecordingState.ts"
import { step } from "../../src/recording/Step.ts"

export const limits = {
  resumeSeconds: 60,
  startSeconds: 10,
  durationSeconds: undefined as number | undefined,
  goesOnAfter: undefined as CutOff | undefined
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

export const began = (filename: string): Incident => ({ _tag: "FileBegan", filename })
export const grew = (filename: string): Incident => ({ _tag: "FileGrew", filename })
export const failed = (reason: string): Incident => ({ _tag: "StreamFailed", reason })
export const over = (timer: Timer): Incident => ({ _tag: "TimeOver", timer })
export const faulty: Incident = { _tag: "CameraFaulty", detail: "opened by obs" }
export const just = (
  _tag: "StreamClosed" | "StreamReady" | "RoomBack" | "DiskSyncs" | "CameraUnplugged" | "CameraWorks"
): Incident => ({ _tag })
export const stop: Incident = { _tag: "StopAsked" }
export const off = (flaw?: string): Incident => ({ _tag: "RecorderOff", flaw })
export const released: Incident = { _tag: "StreamReleased" }
export const finished = (filename: string, flaw?: string): Incident => ({
  _tag: "SegmentFinished",
  filename,
  file: file(filename),
  flaw
})
export const lost = (filename: string): Incident => ({
  _tag: "SegmentFailed",
  filename,
  reason: "the disk reports an error"
})
const storage = (detail: string) => new DependencyFailed({ dependency: "storage", detail })
export const full: Incident = {
  _tag: "StallExplained",
  failure: storage("no space is left on the disk"),
  over: "there is room on the disk again",
  isRefusal: true
}
export const idle: Incident = {
  _tag: "StallExplained",
  failure: undefined,
  over: "it is written again",
  isRefusal: false
}
export const hung: Incident = {
  _tag: "StallExplained",
  failure: storage("the disk does not answer"),
  over: "the disk takes it again",
  isRefusal: false
}

export const writerFailed = (written: string): Incident => ({
  _tag: "WriterFailed",
  written,
  failure: storage("too many files are open"),
  over: "it is written again",
  isRefusal: true
})

/** An action in a few words. */
export const shown = (action: Action): string => {
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

export const after = (incidents: ReadonlyArray<Incident>, of: Partial<typeof limits> = {}): RecordingState => {
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

export const away = "the camera was unplugged; the recording goes on by itself if it is back within 60 s"
export const fault = "the camera has a fault: opened by obs; the recording goes on by itself when it works again"
export const running = [began("a")]
export const waiting = [...running, just("CameraUnplugged"), failed("ended"), just("StreamClosed"), finished("a")]
export const ended = ["ClearTimers", "end in 9 s", "TurnRecorderOff in 3 s"]
export const stalled = [...running, over("bytes"), full, finished("a")]

export const gone: Incident = { _tag: "RoomGone", reason: "only the reserve is left" }
export const paused: Incident = { _tag: "RecorderPaused", flaw: undefined }
export const notPaused: Incident = { _tag: "RecorderPaused", flaw: "MediaMTX may write on for a while: it hangs" }
export const unsynced = (filename: string): Incident => ({ _tag: "SyncFailed", filename, reason: "it may be lost" })
export const waitingForRoom = [...running, gone, paused, finished("a")]

/** Each of these steps, as it says. */
export const stepsHold = (name: string, table: ReadonlyArray<Row>): unknown =>
  describe(name, () => {
    for (const row of table) {
      it(row.name, () => {
        const { actions, state } = step(after(row.after, row.limits), row.incident)
        assert.deepEqual(actions.map(shown), row.actions)
        if (row.phase !== undefined) assert.strictEqual(state.phase, row.phase)
      })
    }
  })
