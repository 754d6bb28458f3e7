import { type ChildExit, describeExit } from "../process/Child.ts"

/**
 * Whether it was MediaMTX that failed, which FFmpeg goes to when its encoder is open, and not the encoder. Both have their
 * failures told in this line (5.1 and 9.0), and 9.0 says more after it. "Invalid data": the connection was closed.
 */
export const isRefused = (stderr: string): boolean =>
  /Could not write header.*: (Connection (refused|reset|timed out)|Broken pipe|Server returned|Invalid data found)/.test(
    stderr
  )

/** MediaMTX was gone while it took the stream: the words of 5.1, then of 9.0. */
const isCutOff = (stderr: string): boolean =>
  /(av_interleaved_write_frame\(\)|Error submitting a packet to the muxer|Error muxing a packet): (Broken pipe|Connection (reset|timed out))/.test(
    stderr
  )

/** Why an FFmpeg that publishes ended, for people; its own words stand behind, in brackets. */
export const whyEnded = (exit: ChildExit): string => {
  const words = describeExit("ffmpeg", exit)
  if (isRefused(exit.stderr)) return `the media server did not take the stream (${words})`
  return isCutOff(exit.stderr) ? `the media server did not take the stream any more (${words})` : words
}
