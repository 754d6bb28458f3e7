import * as Effect from "effect/Effect"
import type { Tcp } from "../ground/Tcp.ts"
import { RtspFailed } from "./RtspFailed.ts"
import type { RtspTarget } from "./Target.ts"

/** What a stream's video is, by its description and its parameter sets; absent is what they do not say. */
export interface DescribedVideo {
  /** as RTP names it, in lower case: `h264`, `h265`, `jpeg`, `mp2t` (a transport stream, which may carry more) */
  readonly codec: string
  /** of its RTP clock, in Hz */
  readonly clockRate: number
  readonly width?: number
  readonly height?: number
  /** frames a second */
  readonly rate?: number
  /** `constrained baseline`, `high`, … */
  readonly profile?: string
  readonly level?: string
  readonly hasBFrames?: boolean
}

/** What a camera says of its stream. */
export interface Described {
  readonly video: DescribedVideo
  /** the first audio track's, in lower case: `mpeg4-generic`, `pcmu` */
  readonly audioCodec?: string
  /** metadata (RFC 6597, SMPTE 336M) comes on a track of its own */
  readonly hasKlv: boolean
  /** SHA-256 of its certificate, in hex, where it was reached over TLS */
  readonly fingerprint?: string
}

/** Asks a camera what its stream is, on a connection of its own; plays nothing where the description says enough. */
export const probe = (_tcp: Tcp["Service"], _target: RtspTarget): Effect.Effect<Described, RtspFailed> =>
  Effect.fail(new RtspFailed({ kind: "PROTOCOL", detail: "not yet" }))
