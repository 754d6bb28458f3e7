import { meanLuma } from "../media/Luma.ts"

/** The first pictures of a camera that wakes are dark or torn, until its exposure has settled. */
const skipped = { frames: 5, millis: 300 }
/**
 * A camera whose pictures are dark for longer than this looks at something dark. It adjusts by pictures, and in little light
 * gives fewer of them: 7 a second have as many as usual in twice the time.
 */
const night = { frames: 15, millis: 1500, longestMillis: 3000 }
/** Mean brightness, of 255, below which a picture is dark. */
const darkLuma = 24

/**
 * Whether a picture is good enough, asked for each of one FFmpeg in turn, with the time at which it came, in monotonic
 * milliseconds: not before a camera that wakes dark is warm, and every one from then on.
 */
export const warmUp = (wakesDark: boolean): ((jpeg: Buffer, now: number) => boolean) => {
  let isWarm = !wakesDark
  let frames = 0
  let firstAt: number | undefined
  return (jpeg, now) => {
    if (isWarm) return true
    firstAt ??= now
    const age = now - firstAt
    if (frames++ < skipped.frames && age < skipped.millis) return false
    const isNight = age >= night.longestMillis || (age >= night.millis && frames > night.frames)
    isWarm = isNight || (meanLuma(jpeg, darkLuma) ?? darkLuma) >= darkLuma
    return isWarm
  }
}
