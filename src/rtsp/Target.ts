import type * as Redacted from "effect/Redacted"
import type { Trials } from "./Trials.ts"

/** Whose streams these are to the camera. */
export interface RtspCredentials {
  readonly user: string
  readonly password: Redacted.Redacted
  /** Basic, which gives the password to everybody on the way, may be used without TLS: the operator says so */
  readonly mayBeSentInClear: boolean
  /** what became of them at this camera */
  readonly trials: Trials
}

/** A stream of a camera in the network, to be asked for over one TCP connection to exactly this address. */
export interface RtspTarget {
  /** a canonical IP literal that has been checked: nothing is looked up any more */
  readonly address: string
  readonly port: number
  /** the request URI as the camera should see it, without credentials */
  readonly url: string
  /** RTSP over TLS (`rtsps`) */
  readonly isSecure: boolean
  /** SHA-256 of the only certificate that is accepted over TLS, in hex; absent: any, and `Described.fingerprint` tells which */
  readonly fingerprint?: string
  readonly credentials?: RtspCredentials
}
