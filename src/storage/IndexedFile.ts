import type { CameraId } from "../../schema/Camera.ts"
import type { FileKind } from "./Names.ts"

/** One recording or snapshot; times are epoch milliseconds, `duration` seconds; 0 and "" where not known. */
export interface IndexedFile {
  readonly kind: FileKind
  readonly filename: string
  readonly device: CameraId
  readonly bytes: number
  readonly modified: number
  readonly created: number
  readonly duration: number
  readonly codec: string
  readonly width: number
  readonly height: number
}

/** A file as the index has it. */
export interface StoredFile extends IndexedFile {
  /** bytes of what lies beside it and goes with it */
  readonly beside: number
}

/** How large a file is that is being written, and when it was written to last. */
export type Grown = Pick<IndexedFile, "filename" | "bytes" | "modified">

/** What can be learned only by looking into a file. */
export interface Description {
  readonly duration: number
  readonly codec: string
  readonly width: number
  readonly height: number
}

/** What there is of one camera. */
export interface Stored {
  readonly kind: FileKind
  readonly device: CameraId
  readonly files: number
  readonly bytes: number
}
