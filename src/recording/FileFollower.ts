import type * as Queue from "effect/Queue"
import { remembered } from "./Recording.ts"

/** A recording that waits for its files. */
export interface Follower {
  /** heard of and not looked at yet, in the order in which they came */
  readonly heard: Set<string>
  readonly awake: Queue.Queue<void>
  /** were acted on: the newest of them, for MediaMTX goes on with the last one alone */
  readonly own: Set<string>
  /** stood in the index when they were first heard of, with so many bytes: older ones, as long as they do not grow */
  readonly older: Map<string, number>
  /** have no bytes yet; MediaMTX leaves one behind each time that it cannot write, and goes on with another name */
  readonly empty: Set<string>
  isOver: boolean
}

/** After each name that is added: so many are remembered, and the oldest goes. */
export const forgetOldest = (names: Set<string> | Map<string, number>): void => {
  const [oldest] = names.keys()
  if (names.size > remembered && oldest !== undefined) names.delete(oldest)
}

/** Whether this file may be one of the recording's that is not known yet. */
export const needsLook = ({ isOver, older, own }: Follower, name: string): boolean =>
  !isOver && !own.has(name) && older.get(name) !== Number.POSITIVE_INFINITY
