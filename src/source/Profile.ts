import type { Sps } from "../media/Sps.ts"

/**
 * What a stream is constrained to. Level limits are Table A-1 of ITU-T H.264: MaxFS macroblocks a frame, MaxMBPS
 * macroblocks a second.
 */

export type ProfileName = "stanag4406" | "none"

const level30 = { maxFrameMacroblocks: 1620, maxMacroblocksPerSecond: 40_500 }

const macroblocks = (width: number, height: number): number => Math.ceil(width / 16) * Math.ceil(height / 16)

/** The highest rate (frames a second) at which level 3.0 allows this frame size; 0: the frame is too large. */
export const maxFrameRate = (profile: ProfileName, width: number, height: number): number => {
  if (profile === "none") return Number.POSITIVE_INFINITY
  const blocks = macroblocks(width, height)
  return blocks > level30.maxFrameMacroblocks ? 0 : level30.maxMacroblocksPerSecond / blocks
}

/** The largest frame of the same shape that the profile allows, in even pixels. */
export const fitFrame = (
  profile: ProfileName,
  width: number,
  height: number
): { readonly width: number; readonly height: number } => {
  const even = (n: number): number => Math.max(2, Math.floor(n / 2) * 2)
  let fitted = { width: even(width), height: even(height) }
  for (let scale = 1; maxFrameRate(profile, fitted.width, fitted.height) === 0; scale -= 0.01) {
    fitted = { width: even(width * scale), height: even(height * scale) }
  }
  return fitted
}

/** Whether a bit stream's own SPS meets the profile: constrained baseline, level 3.0 or lower, 4:2:0, progressive. */
export const conforms = (profile: ProfileName, sps: Sps): boolean => {
  if (profile === "none") return true
  const constrainedBaseline = sps.profileIdc === 66 && sps.constraintSet1
  const rate = maxFrameRate(profile, sps.width, sps.height)
  return (
    constrainedBaseline &&
    sps.levelIdc <= 30 &&
    sps.chromaFormatIdc === 1 &&
    sps.progressive &&
    rate > 0 &&
    (sps.framesPerSecond === 0 || sps.framesPerSecond <= rate)
  )
}
