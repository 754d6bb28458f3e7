import type * as Deferred from "effect/Deferred"
import type * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type { DependencyFailed } from "../../schema/Errors.ts"
import type { LiveStream } from "../stream/LiveStream.ts"
import type { Recording, Stopped } from "./Recording.ts"
import type { Incident, RecordingState } from "./RecordingState.ts"

/** What a recording is to who asks for it. WAITING: it goes on by itself, and nothing is written now. */
type Phase = "STARTING" | "RECORDING" | "WAITING" | "STOPPING" | "STOPPED"

/** A recording from its start to its end. */
export interface RecordingRun {
  readonly recording: Recording
  readonly state: () => Phase
  readonly happened: (incident: Incident) => void
  /** when there are bytes on disk */
  readonly started: Effect.Effect<void, DependencyFailed>
  /** when all files are whole */
  readonly ended: Effect.Effect<Stopped, DependencyFailed>
}

/** The same, for those who make it. */
export interface OwnRun {
  readonly recording: Recording
  readonly state: () => RecordingState
  readonly happened: (incident: Incident) => void
  readonly stream: LiveStream
  /** closed when it needs the stream no more */
  readonly lease: Scope.Closeable
  /** done when MediaMTX was told to record, or could not be: an idle camera's stream begins only then */
  readonly recorderIsTold: Deferred.Deferred<void>
  /** closed when it is over */
  readonly scope: Scope.Closeable
  readonly started: Deferred.Deferred<void, DependencyFailed>
  readonly ended: Deferred.Deferred<Stopped, DependencyFailed>
}

export const phaseOf = ({ isWriting, phase, stall }: RecordingState): Phase => {
  if (phase === "RUNNING") return isWriting && typeof stall !== "object" ? "RECORDING" : "WAITING"
  return phase === "ENDED" ? "STOPPED" : phase
}
