import type { Live } from "../config/LiveSettings.ts"
import { publisherPath } from "../process/MediaMtxConfig.ts"

/** Our FFmpeg publishes, or our relay. */
export const publishedPath = (live: Live) => ({
  ...publisherPath(live),
  // a transport stream from a camera is its own tracks to viewers and to the recorder
  rtspDemuxMpegts: true
})

/** The options of a MediaMTX path that say how frames get onto it (`/v3/config/paths`): each feed has its own. */
export type FeedPath = ReturnType<typeof publishedPath>
