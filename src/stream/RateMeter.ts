import type { Run } from "./LiveStream.ts"

/** Reports, twice a second, over which the rate is taken. */
const rateReports = 6

/** Keeps what a run publishes. `frames`: so far; `now` in monotonic milliseconds. */
export const rateMeter = (run: Run) => {
  const recent: Array<{ readonly at: number; readonly frames: number }> = []
  return (frames: number, now: number): void => {
    recent.push({ at: now, frames })
    if (recent.length > rateReports) recent.shift()
    const [first] = recent
    const seconds = (now - (first?.at ?? now)) / 1000
    const fps = seconds > 0 ? (frames - (first?.frames ?? 0)) / seconds : 0
    run.published = { frames, fps: Math.round(fps * 100) / 100 }
  }
}
