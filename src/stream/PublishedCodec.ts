import { parseSps, profileName } from "../media/Sps.ts"
import type { Encoding } from "../source/Encoder.ts"
import { conforms } from "../source/Profile.ts"
import type { Codec } from "./LiveStream.ts"

/** What a sequence parameter set (a NAL unit without its start code) says of its stream; undefined where it is broken. */
export const codecOf = (nal: Uint8Array, { profile }: Encoding): Codec | undefined => {
  try {
    const sps = parseSps(nal)
    return {
      profile: profileName(sps),
      level: (sps.levelIdc / 10).toFixed(1),
      width: sps.width,
      height: sps.height,
      conformant: conforms(profile, sps)
    }
  } catch (error) {
    if (error instanceof RangeError) return undefined
    throw error
  }
}
