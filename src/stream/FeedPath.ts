import * as Duration from "effect/Duration"
import type { Live } from "../config/LiveSettings.ts"

/** The options of a MediaMTX path that say how frames get onto it (`/v3/config/paths`): each feed has its own. */
export type FeedPath = {
  readonly source: string
  readonly overridePublisher: boolean
  readonly runOnDemand: string
  readonly runOnDemandStartTimeout: string
  readonly rtspDemuxMpegts: boolean
}

/** Our FFmpeg publishes, or our relay. */
export const publishedPath = ({ streams }: Live): FeedPath => ({
  source: "publisher",
  overridePublisher: false,
  // does nothing: MediaMTX holds readers of a path that has it until somebody publishes
  runOnDemand: "true",
  // a transport stream from a camera is its own tracks to viewers and to the recorder
  rtspDemuxMpegts: true,
  runOnDemandStartTimeout: `${Duration.toSeconds(streams.start_timeout_seconds)}s`
})
