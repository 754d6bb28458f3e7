import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Random from "effect/Random"
import * as Schema from "effect/Schema"
import { RtspFailure } from "../rtsp/RtspFailed.ts"
import type { Obstacle, RunEnded } from "./RunEnded.ts"

/** The shortest pause after a failure, and the longest that grows by itself, in milliseconds. */
const pauses = { first: 250, longest: 10_000, longestInNetwork: 30_000 }

/** How long it makes no sense to try again, in milliseconds, where more is known than that the run failed. */
export const atLeast: Readonly<Record<Obstacle, number>> = {
  // its going is told before; if not, the camera is still there
  UNPLUGGED: 1000,
  MEDIAMTX: 0,
  // each of these recovers with a word, which ends the wait
  BUSY: 10_000,
  NO_PERMISSION: 30_000,
  // another stream of the bus has to end first
  NO_BANDWIDTH: 2000,
  UNREACHABLE: 0,
  STALLED: 0,
  SESSION_LIMIT: 2000,
  // a camera that starts has its server before its stream
  NOT_FOUND: 1000,
  NO_VIDEO: 10_000,
  REDIRECTED: 10_000,
  PROTOCOL: 10_000,
  CERTIFICATE_CHANGED: 10_000,
  // cameras lock accounts after a few wrong passwords, often for half an hour; new credentials end the wait
  AUTH_FAILED: 300_000
}

const isInNetwork = Schema.is(RtspFailure)

/** Waits after a run that failed, the last of so many in a row. */
export const pauseAfter = ({ obstacle }: RunEnded, failuresInARow: number): Effect.Effect<void> =>
  Effect.flatMap(Random.nextBetween(0.9, 1.1), (chance) => {
    const longest = isInNetwork(obstacle) ? pauses.longestInNetwork : pauses.longest
    const growing = Math.min(longest, (pauses.first / 2) * 2 ** failuresInARow) * chance
    return Effect.sleep(Duration.millis(Math.max(growing, obstacle === undefined ? 0 : atLeast[obstacle])))
  })
