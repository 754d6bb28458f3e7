import type * as Duration from "effect/Duration"
import type { CameraId } from "../../schema/Camera.ts"
import type { RecordingFormat } from "../../schema/Recording.ts"
import type { IndexedFile } from "../storage/IndexedFile.ts"

/** A file of a recording that is whole: what is remembered of it, for the rest is in the index. */
export type RecordedFile = Pick<IndexedFile, "filename" | "duration" | "bytes">

/**
 * What is or was a file of a recording. Written: MediaMTX writes it, or nobody has looked after it since. Finishing: it
 * is made whole. Whole: it is; `flaw`: what is not as it should be all the same. Lost: it could not be. Empty: there was
 * nothing in it, and it is gone.
 */
export type Fate =
  | { readonly _tag: "Written" }
  | { readonly _tag: "Finishing"; readonly isRemuxed: boolean }
  | { readonly _tag: "Whole"; readonly file: RecordedFile; readonly flaw: string | undefined }
  | { readonly _tag: "Lost"; readonly reason: string }
  | { readonly _tag: "Empty" }

/** One file of a recording, by the name that it has for good. */
export interface Segment {
  readonly filename: string
  readonly fate: Fate
}

/** So many of its files are remembered one by one, the newest: 6 weeks of hours. All of them take half a megabyte. */
export const remembered = 1000

/** In the reason of one that waits: its end has another. */
export const goesOn = "the recording goes on by itself"

/** A recording under way, or over. */
export interface Recording {
  readonly camera: CameraId
  readonly format: RecordingFormat
  /** epoch milliseconds */
  readonly startedAt: number
  /** as they are now, oldest first: the newest thousand, and those that are not whole yet */
  readonly segments: () => ReadonlyArray<Segment>
}

/**
 * What happens to a recording. Starting: it was asked for. Writing: its file has bytes in it, for the first time or
 * again. Waiting: its camera is away, and it goes on by itself if that comes back. Troubled: nothing can be written; it
 * goes on by itself. Ended and Failed are its last: there are files, or there are none.
 */
export interface RecordingFact {
  readonly _tag:
    | "RecordingStarting"
    | "RecordingWriting"
    | "RecordingWaiting"
    | "RecordingTroubled"
    | "RecordingEnded"
    | "RecordingFailed"
  readonly camera: CameraId
  /** the file that is written, or was last; empty until the first bytes are on disk */
  readonly filename: string
  /** since it was asked for; Waiting and Ended: of video in its files */
  readonly seconds: number
  readonly reason: string | undefined
}

/** A recording that is not over, whatever becomes of it. */
export interface RecordingNow {
  readonly last: Exclude<RecordingFact["_tag"], "RecordingEnded" | "RecordingFailed">
  /** epoch milliseconds: when it was asked for */
  readonly since: number
  readonly reason: string | undefined
}

export interface RecordingRequest {
  readonly camera: CameraId
  readonly format?: RecordingFormat
  readonly duration?: Duration.Duration
  /** epoch milliseconds: its duration is over then as well, where the clock is set meanwhile */
  readonly endsAt?: number
  readonly goesOnAfter?: CutOff
}

/** What cut a recording off before; told when it goes on, with what is missing. */
export interface CutOff {
  readonly reason: string
  /** epoch milliseconds: when its last picture was written; undefined: that is not known */
  readonly at: number | undefined
}

/** A recording that has begun. */
export interface Started extends Recording {
  /** what is not as it should be all the same */
  readonly reason: string | undefined
}

export interface Stopped {
  readonly recording: Recording
  /** epoch milliseconds */
  readonly endedAt: number
  /** whole on disk, oldest first: of the newest thousand */
  readonly files: ReadonlyArray<RecordedFile>
  /** of these, and of all before them */
  readonly seconds: number
  readonly bytes: number
  /** what is not as it should be all the same */
  readonly reason: string | undefined
}
