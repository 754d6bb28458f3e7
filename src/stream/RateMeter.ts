import type { Progress } from "../process/Progress.ts"
import type { Source } from "../source/Source.ts"
import type { Run } from "./LiveStream.ts"

/** Reports, twice a second, over which the rate is taken. */
const rateReports = 6

/**
 * Keeps what a run publishes. FFmpeg counts the frames of its first output, which are the pictures at hand; the stream's
 * own come at a constant rate, so the time that is written tells their number. `now` in monotonic milliseconds.
 */
export const rateMeter = (run: Run, { fps: rate }: Source) => {
  const recent: Array<{ readonly at: number; readonly frames: number }> = []
  return ({ outTimeUs }: Progress, now: number): void => {
    const frames = Math.round((outTimeUs / 1_000_000) * rate)
    recent.push({ at: now, frames })
    if (recent.length > rateReports) recent.shift()
    const [first] = recent
    const seconds = (now - (first?.at ?? now)) / 1000
    const fps = seconds > 0 ? (frames - (first?.frames ?? 0)) / seconds : 0
    run.published = { frames, fps: Math.round(fps * 100) / 100 }
  }
}
