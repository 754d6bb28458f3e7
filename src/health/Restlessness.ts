import type { Moment } from "../ground/Time.ts"
import type { MediaMtxState } from "../process/MediaMtxStates.ts"

/** One that has run for so long has come to stay, and one that has not come up for as long is not about to. Milliseconds. */
const steady = 10_000
/** Ends that soon after it came up, one after the other: more are no accident. */
const accidents = 2

/**
 * Whether MediaMTX comes up and ends, again and again: what it is meanwhile changes every second or so, and is nothing to rely
 * on. To be told each state that it has, with its time.
 */
export const makeRestlessness = (): ((state: MediaMtxState, now: Moment) => boolean) => {
  let isUp = false
  let changed = 0
  let ends = 0
  return ({ _tag }, { monotonic }) => {
    const lasted = monotonic - changed
    if (lasted >= steady) ends = 0
    if (isUp !== (_tag === "Running")) {
      if (isUp) ends++
      isUp = !isUp
      changed = monotonic
    }
    return ends > accidents
  }
}
