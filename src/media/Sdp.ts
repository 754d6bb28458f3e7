import { isSps } from "./Sps.ts"

/** The first H.264 sequence parameter set of an SDP (RFC 6184, 8.1: sprop-parameter-sets). */
export const spsOf = (sdp: string): Uint8Array | undefined => {
  const sets = /sprop-parameter-sets=([^;\s]+)/.exec(sdp)?.[1]?.split(",") ?? []
  return sets.map((set) => Buffer.from(set, "base64")).find(isSps)
}
