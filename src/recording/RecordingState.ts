import { DependencyFailed } from "../../schema/Errors.ts"
import type { Fault } from "../device/Fault.ts"
import type { IndexedFile } from "../storage/IndexedFile.ts"
import type { CutOff, RecordedFile, RecordingFact, Segment } from "./Recording.ts"
import type { Stall } from "./Stall.ts"

/** The way of a recording from its start to its last word, as a pure step: what it is, what happens, what is done. */

/** What the camera says of why nothing can be written. */
export interface CameraTrouble {
  readonly kind: "AWAY" | "FAULT"
  readonly reason: string
  /** what is told when the recording goes on after it */
  readonly over: string
  readonly isTold: boolean
  /** the camera says that it is */
  readonly isOver: boolean
}

/** What is still to be told of the last segment: its file is told of when it is whole. */
export interface Word {
  readonly fact: "RecordingWaiting" | "RecordingTroubled"
  readonly reason: string
}

/** Why a recording ends. `failure`: it did not begin, and what it may have left is removed. */
export interface Ending {
  readonly reason: string | undefined
  readonly failure: DependencyFailed | undefined
  /** what went wrong when MediaMTX was told to write no more */
  readonly flaw: string | undefined
  readonly isRecorderOff: boolean
  readonly isStreamReleased: boolean
}

/** What segments come to that are over and remembered no more. */
export interface Earlier {
  readonly seconds: number
  readonly bytes: number
  /** of the first that was lost, or whole with a flaw: why */
  readonly lost: string | undefined
  readonly flaw: string | undefined
}

export interface RecordingState {
  /** STARTING: until there are bytes on disk; one that was cut off has had some. STOPPING: until all files are whole. */
  readonly phase: "STARTING" | "RUNNING" | "STOPPING" | "ENDED"
  readonly resumeSeconds: number
  readonly startSeconds: number
  /** undefined: until it is stopped */
  readonly durationSeconds: number | undefined
  /** what cut it off before it began anew */
  readonly goesOnAfter: CutOff | undefined
  /** oldest first: a recording may go on for years, so only the newest of those that are over */
  readonly segments: ReadonlyArray<Segment>
  readonly earlier: Earlier
  /** MediaMTX writes into the last segment, for all that is known */
  readonly isWriting: boolean
  readonly trouble: CameraTrouble | undefined
  /** why FFmpeg ended, until MediaMTX has closed its file or the next one publishes */
  readonly failure: string | undefined
  /** why FFmpeg ended, and the camera has not said yet that it is to blame */
  readonly loss: string | undefined
  /** FFmpeg ended, and the next one does not publish yet */
  readonly isStreamLost: boolean
  /**
   * No bytes come although there is a stream: the disk is being asked why, or that was told. At the start it is asked
   * before any are missed, and asked anew while what it told stands.
   */
  readonly stall: "ASKED" | Stall | undefined
  /** what a segment that began while the disk was full, or after a pause, is told with once it grows */
  readonly unproven: { readonly reason: string } | undefined
  /** why MediaMTX was told to write no more for now */
  readonly pause: string | undefined
  /** the disk failed to sync the file that is written: it is to be replaced when the disk has synced another one */
  readonly isGivenUp: boolean
  /** and has: MediaMTX was told to stop, so that it begins another file when it is told to go on */
  readonly isReplacing: boolean
  readonly words: ReadonlyArray<Word>
  readonly ending: Ending | undefined
}

export type Timer = "start" | "duration" | "away" | "blame" | "calm" | "bytes" | "end"

export type Incident =
  /** MediaMTX has begun a file, and there are bytes in it */
  | { readonly _tag: "FileBegan"; readonly filename: string }
  | { readonly _tag: "FileGrew"; readonly filename: string }
  /** FFmpeg ended, or there is none; told at once. `fault`: of its camera, which is to blame */
  | { readonly _tag: "StreamFailed"; readonly reason: string; readonly fault?: Fault }
  /** and MediaMTX has closed the file that it wrote then */
  | { readonly _tag: "StreamClosed" }
  /** the next FFmpeg publishes */
  | { readonly _tag: "StreamReady" }
  | { readonly _tag: "CameraUnplugged" }
  | { readonly _tag: "CameraFaulty"; readonly detail: string }
  | { readonly _tag: "CameraWorks" }
  | { readonly _tag: "TimeOver"; readonly timer: Timer }
  | ({ readonly _tag: "StallExplained" } & Stall)
  /** MediaMTX could not write a file (by its own name of it), and has given it up */
  | ({ readonly _tag: "WriterFailed"; readonly written: string } & Stall)
  /** the disk failed to sync a file that is written */
  | { readonly _tag: "SyncFailed"; readonly filename: string; readonly reason: string }
  /** and has synced another one since */
  | { readonly _tag: "DiskSyncs" }
  /** the disk has no room but its reserve */
  | { readonly _tag: "RoomGone"; readonly reason: string }
  /** MediaMTX writes no more for now, and all its files are known; `flaw`: as with `RecorderOff` */
  | { readonly _tag: "RecorderPaused"; readonly flaw: string | undefined }
  | { readonly _tag: "RoomBack" }
  | { readonly _tag: "RecorderRefused"; readonly error: DependencyFailed }
  | { readonly _tag: "StopAsked" }
  /** who asked for the start is gone before it was answered */
  | { readonly _tag: "StartCancelled" }
  | { readonly _tag: "ServiceEnds" }
  /** MediaMTX writes no more, and all its files are known; `flaw`: it could not be told, or does not say so */
  | { readonly _tag: "RecorderOff"; readonly flaw: string | undefined }
  | { readonly _tag: "StreamReleased" }
  | { readonly _tag: "SegmentRemuxed"; readonly filename: string }
  | {
      readonly _tag: "SegmentFinished"
      readonly filename: string
      readonly file: IndexedFile
      readonly flaw: string | undefined
    }
  | { readonly _tag: "SegmentFailed"; readonly filename: string; readonly reason: string }
  /** it was empty, or is discarded */
  | { readonly _tag: "SegmentGone"; readonly filename: string }

export type Action =
  | {
      readonly _tag: "Tell"
      readonly fact: RecordingFact["_tag"]
      readonly filename: string
      readonly reason: string | undefined
    }
  | { readonly _tag: "TurnRecorderOn" }
  /** tries to for so long */
  | { readonly _tag: "TurnRecorderOff"; readonly seconds: number }
  /** the same, for now */
  | { readonly _tag: "PauseRecorder"; readonly seconds: number }
  /** tries to until it is on */
  | { readonly _tag: "ResumeRecorder" }
  /** gives the stream back to whoever else needs it */
  | { readonly _tag: "ReleaseStream" }
  /** waits until MediaMTX has closed what the FFmpeg that ended sent */
  | { readonly _tag: "AwaitClosed" }
  | { readonly _tag: "ExplainStall" }
  | { readonly _tag: "AwaitSync" }
  | { readonly _tag: "Finish"; readonly filename: string }
  | { readonly _tag: "Discard"; readonly filename: string }
  /** there is no time to copy an hour: files stay what they are */
  | { readonly _tag: "GiveUpRemuxes" }
  | { readonly _tag: "SetTimer"; readonly timer: Timer; readonly seconds: number }
  | { readonly _tag: "ClearTimer"; readonly timer: Timer }
  | { readonly _tag: "ClearTimers" }
  | { readonly _tag: "AnswerStart" }
  | {
      readonly _tag: "End"
      readonly files: ReadonlyArray<RecordedFile>
      readonly failure: DependencyFailed | undefined
      readonly reason: string | undefined
    }

interface Limits {
  readonly resumeSeconds: number
  readonly startSeconds: number
  readonly durationSeconds: number | undefined
  readonly goesOnAfter: CutOff | undefined
}

/** One that was cut off goes on: it waits for whatever it needs as one that runs does. */
const goingOn = ({ state }: Stepped, durationSeconds: number | undefined): Stepped => ({
  state: { ...state, phase: "RUNNING", stall: undefined },
  actions: [
    { _tag: "Tell", fact: "RecordingStarting", filename: "", reason: undefined },
    { _tag: "TurnRecorderOn" },
    { _tag: "AnswerStart" },
    ...(durationSeconds === undefined
      ? []
      : [{ _tag: "SetTimer", timer: "duration", seconds: durationSeconds } as const])
  ]
})

export const starting = (limits: Limits): Stepped =>
  limits.goesOnAfter === undefined ? anew(limits) : goingOn(anew(limits), limits.durationSeconds)

const anew = (limits: Limits): Stepped => ({
  state: {
    ...limits,
    phase: "STARTING",
    segments: [],
    earlier: { seconds: 0, bytes: 0, lost: undefined, flaw: undefined },
    isWriting: false,
    trouble: undefined,
    failure: undefined,
    loss: undefined,
    isStreamLost: false,
    stall: "ASKED",
    unproven: undefined,
    pause: undefined,
    isGivenUp: false,
    isReplacing: false,
    words: [],
    ending: undefined
  },
  actions: [
    { _tag: "Tell", fact: "RecordingStarting", filename: "", reason: undefined },
    { _tag: "TurnRecorderOn" },
    { _tag: "ExplainStall" },
    { _tag: "SetTimer", timer: "start", seconds: limits.startSeconds }
  ]
})

export interface Stepped {
  readonly state: RecordingState
  readonly actions: ReadonlyArray<Action>
}
