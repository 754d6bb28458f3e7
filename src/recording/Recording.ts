import type * as Scope from "effect/Scope"
import type { CameraId } from "../../schema/Camera.ts"
import type { RecordingFormat } from "../../schema/Recording.ts"
import type { IndexedFile } from "../storage/IndexDatabase.ts"
import type { Segment } from "./Segments.ts"

/** A recording under way. */
export interface Recording {
  readonly camera: CameraId
  readonly format: RecordingFormat
  /** epoch milliseconds */
  readonly startedAt: number
  /** oldest first */
  readonly segments: Array<Segment>
  /** what became of those that are done, by the segment's file name */
  readonly finished: Map<string, IndexedFile>
  /** MediaMTX writes into the last segment; false: there is nothing to write until the camera or its stream is back */
  isWriting: boolean
  readonly scope: Scope.Closeable
}
