import type * as Duration from "effect/Duration"

/** What goes wrong with MediaMTX; a test sets it, and may wait for it. */
export interface MediaMtxFaults {
  /** its API takes calls and does not answer */
  readonly hangs: boolean
  /** its API takes so long for each answer */
  readonly slow?: Duration.Input
  /** its API breaks every connection off */
  readonly breaks?: boolean
  /** its API answers each call with this status */
  readonly answers?: number | undefined
  /** so many calls that add, replace or patch a path are refused as they come (400) */
  readonly refusals?: number
  /** it ends at its start, saying this */
  readonly complaint?: string
  /** what starts does nothing, and listens nowhere, until this is over */
  readonly idles?: boolean
  /** each file that it opens for a recording is refused, with this errno */
  readonly opens?: string | undefined
  /** so long passes between an ANNOUNCE and its RECORD */
  readonly handshake?: Duration.Input
  /** it reads nothing that is published to it over the network */
  readonly isDeaf?: boolean
}
