import type * as Exit from "effect/Exit"
import type * as Queue from "effect/Queue"
import type { Voice } from "./Voice.ts"

/** What the process is told from outside, and what it is to be told of. */
export interface Life {
  readonly voice: Voice
  /** each SIGHUP */
  readonly hangups: Queue.Dequeue<void>
  /** each SIGUSR2: the index is to be copied */
  readonly copies: Queue.Dequeue<void>
  /** a service begins to end */
  readonly ending: (exit: Exit.Exit<never, unknown>) => void
}
