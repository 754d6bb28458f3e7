import type { Moment } from "../ground/Time.ts"
import type { FfmpegProcess } from "../process/Ffmpeg.ts"
import type { Progress } from "../process/Progress.ts"
import type { Source } from "../source/Source.ts"
import type { Run } from "./LiveStream.ts"

/** Of so many reports, twice a second, that one counts that is later than a quarter: some come up to a frame's time after it. */
const reports = 20
/** Milliseconds; what is more is told of no delay, but of a clock that was set, or that is none of those we know. */
const longest = 2000

/** Keeps how old the frames of a run are when FFmpeg hands them to MediaMTX: encoded, by the time at which they were made. */
export const delayMeter = (
  run: Pick<Run, "delay">,
  { fps, input }: Pick<Source, "fps" | "input">,
  process: Pick<FfmpegProcess, "began">
) => {
  const recent: Array<number> = []
  return ({ outTimeUs }: Progress, moment: Moment): void => {
    const began = process.began()
    if (began === undefined || outTimeUs <= 0) return
    const last = outTimeUs / 1000 - (began.reportsEnds ? 1000 / fps : 0)
    recent.push(moment[input.clock] - began.firstFrame - last)
    if (recent.length > reports) recent.shift()
    const usual = recent.toSorted((one, other) => one - other)[Math.floor(recent.length / 4)] ?? Number.NaN
    run.delay = usual >= 0 && usual < longest ? usual : undefined
  }
}
