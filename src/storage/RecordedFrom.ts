/** What a start is later than, it is late by at most: MediaMTX itself dates pictures anew that are further from its clock. */
const latestMillis = 5000

/**
 * When what a recording shows began (epoch milliseconds). `named`: the time in its name, which is when its first picture came
 * to the recorder; of a camera that had just been started that is late by as much as the first picture waited and the others
 * did not (0.1 to 0.4 s of an FFmpeg on a busy machine). But no file has lasted longer than to the moment at which it was
 * written to last (`modified`). `duration`: seconds; 0: not known yet.
 */
export const recordedFrom = (named: number, modified: number, duration: number): number => {
  if (duration <= 0) return named
  const latest = Math.floor(modified - duration * 1000)
  // further off it is another clock's: of a copy, or of a camera whose time runs as it likes
  return named - latest > latestMillis ? named : Math.min(named, latest)
}
