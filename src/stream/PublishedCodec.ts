import { unlessBroken } from "../media/Bits.ts"
import { h265ProfileName, isH265Sps, parseH265Sps } from "../media/H265Sps.ts"
import { isSps, parseSps, profileName } from "../media/Sps.ts"
import type { Encoding } from "../source/Encoder.ts"
import { conforms } from "../source/Profile.ts"
import type { Codec } from "./LiveStream.ts"

/** What a sequence parameter set (a NAL unit without its start code) says of its stream; undefined where it is broken. */
export const codecOf = (nal: Uint8Array, { profile }: Encoding): Codec | undefined =>
  unlessBroken(() => {
    const sps = parseSps(nal)
    return {
      profile: profileName(sps),
      level: (sps.levelIdc / 10).toFixed(1),
      width: sps.width,
      height: sps.height,
      conformant: conforms(profile, sps)
    }
  })

/** The same of the one among these NAL units of a stream with this encoding, as RTP names it. */
export const codecIn = (encoding: string, nals: ReadonlyArray<Uint8Array>, asked: Encoding): Codec | undefined => {
  const nal = nals.find(encoding === "h265" ? isH265Sps : isSps)
  if (nal === undefined) return undefined
  if (encoding !== "h265") return codecOf(nal, asked)
  return unlessBroken(() => {
    const sps = parseH265Sps(nal)
    const { height, levelIdc, width } = sps
    // what the profile asks for is H.264
    const conformant = asked.profile === "none"
    return { profile: `H.265 ${h265ProfileName(sps)}`, level: (levelIdc / 30).toFixed(1), width, height, conformant }
  })
}
