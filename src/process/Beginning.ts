/** What FFmpeg says, at level info, of what it begins to read and to write. */
export interface Beginning {
  /** when the first frame was made, in milliseconds, by the clock that stamps the input's frames */
  readonly firstFrame: number
  /** the major version of its libavformat: 59 in FFmpeg 5, 60 in 6 */
  readonly library: number
}

/**
 * Info is for this alone: who is to know why FFmpeg ended is told the rest, but that pictures were left out because this service
 * stood still (`source/FfmpegArguments.ts`). A part of a part says its own name after that one's.
 */
export const tellsHowItEnded = (line: string): boolean =>
  !/^(\[[^\]]* @ [^\]]*\] )*(\[info\]|\[warning\] FIFO queue full$)/.test(line)

/** Reads it from the lines that come on standard error. */
export const makeBeginning = () => {
  let firstFrame: number | undefined
  let library: number | undefined
  return {
    now: (): Beginning | undefined =>
      firstFrame === undefined || library === undefined ? undefined : { firstFrame, library },
    hear: (line: string): void => {
      const start = /^\[info\] +Duration: N\/A, start: (\d+\.\d+),/.exec(line)?.[1]
      if (start !== undefined && firstFrame === undefined) firstFrame = Number(start) * 1000
      const major = /^\[info\] +encoder +: Lavf(\d+)\./.exec(line)?.[1]
      if (major !== undefined) library = Number(major)
    }
  }
}
