import type { ReadInput } from "./Input.ts"
import { type Font, testPattern } from "./TestPattern.ts"

/** The synthetic camera with this number: FFmpeg makes its pictures, and nothing can be wrong with it. */
export const syntheticInput = (number: number, font: Font = "font"): ReadInput => ({
  feed: "published",
  name: "synthetic",
  address: `synthetic:${number}`,
  node: undefined,
  hasTranscode: false,
  clock: "wall",
  mayHaveKlv: false,
  wakesDark: false,
  whyEncoded: "its pictures are made here",
  // it would look at 20 frames for their rate before it lets one go, for times this fine. FFmpeg 5.1 takes it for a million
  // a second then: each output has to say its own (-r), or that it goes by the frames' times (-fps_mode vfr)
  ffmpegArguments: (camera, { height, rate, width }) => [
    "-fpsprobesize",
    "0",
    "-f",
    "lavfi",
    "-i",
    testPattern(camera, font, width, height, rate)
  ],
  complaintIn: () => undefined,
  silenceOf: () => undefined
})
