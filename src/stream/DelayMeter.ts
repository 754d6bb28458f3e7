import type { Moment } from "../ground/Time.ts"
import type { Beginning } from "../process/Beginning.ts"
import type { FfmpegProcess } from "../process/Ffmpeg.ts"
import type { Progress } from "../process/Progress.ts"
import type { Source } from "../source/Source.ts"
import type { Run } from "./LiveStream.ts"

/** Of so many reports, twice a second, the one in the middle counts. */
const reports = 20
/** As many are needed: the first may tell of frames that waited until MediaMTX took them. */
const leastReports = 3
/** Milliseconds; what is more is told of no delay, but of a clock that was set, or that is none of those we know. */
const longest = 2000

type Measured = Pick<Source, "deliversJpeg" | "fps" | "input">

/**
 * Milliseconds of the output at which the newest frame began, by a report. FFmpeg 5 tells of the output that is the furthest,
 * and adds a tick of its clock (fftools/ffmpeg.c, `av_stream_get_end_pts`): a frame's time of pictures, which are made of
 * each frame where they are copied, and of one in five else; nothing of H.264. FFmpeg 6 adds none (`last_mux_dts`).
 * Later ones tell of the output that is the furthest behind, and of the newest frame nothing.
 */
const newestIn = ({ outTimeUs }: Progress, { library }: Beginning, { deliversJpeg, fps }: Measured) => {
  if (library === 60) return outTimeUs / 1000
  return library === 59 ? outTimeUs / 1000 - (deliversJpeg ? 1000 / fps : 0) : undefined
}

/** Keeps how old the frames of a run are when FFmpeg hands them to MediaMTX: encoded, by the time at which they were made. */
export const delayMeter = (run: Pick<Run, "delay">, source: Measured, process: Pick<FfmpegProcess, "began">) => {
  const recent: Array<number> = []
  let last = 0
  return (progress: Progress, moment: Moment): void => {
    const began = process.began()
    // how long ago the newest frame came says nothing of how old it was then
    if (began === undefined || progress.outTimeUs <= last) return
    last = progress.outTimeUs
    const newest = newestIn(progress, began, source)
    if (newest === undefined) return
    recent.push(moment[source.input.clock] - began.firstFrame - newest)
    if (recent.length > reports) recent.shift()
    const middle = recent.toSorted((one, other) => one - other)[Math.floor(recent.length / 2)] ?? Number.NaN
    if (recent.length < leastReports) return
    run.delay = middle >= 0 && middle < longest ? middle : undefined
  }
}
