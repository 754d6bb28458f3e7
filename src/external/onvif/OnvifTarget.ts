import * as Schema from "effect/Schema"
import { urlHost } from "../../config/Hosts.ts"
import { RtspFailure } from "../../rtsp/RtspFailed.ts"
import type { RtspCredentials } from "../../rtsp/Target.ts"

/** The device service of a camera in the network: exactly this address. */
export interface OnvifTarget {
  /** a canonical IP literal that has been checked: nothing is looked up any more */
  readonly address: string
  readonly port: number
  readonly isSecure: boolean
  /** path and query of the device service */
  readonly path: string
  /** SHA-256 of the only certificate that is accepted over TLS, in hex; absent: the first that is seen */
  readonly fingerprint?: string
  readonly credentials?: RtspCredentials
}

/** One of the device's services. */
export interface ServiceAddress {
  readonly port: number
  readonly isSecure: boolean
  /** path and query */
  readonly path: string
}

/** The same words as of its streams; `detail` is for people, and without secrets. */
export class OnvifFailed extends Schema.TaggedError<OnvifFailed>()("OnvifFailed", {
  kind: RtspFailure,
  detail: Schema.String
}) {}

/**
 * An address that a device names, with the device's own in place of the host in it: cameras name the address that they
 * had at the factory, or of another network, and a hostile one could name any other machine. Without credentials.
 * Undefined: no URL of one of these schemes.
 */
export const atDevice = (
  told: string,
  { address }: OnvifTarget,
  ...schemes: ReadonlyArray<string>
): URL | undefined => {
  const url = URL.parse(told)
  if (url === null || url.host === "" || !schemes.includes(url.protocol)) return undefined
  const port = url.port === "" ? "" : `:${url.port}`
  return URL.parse(`${url.protocol}//${urlHost(address)}${port}${url.pathname}${url.search}`) ?? undefined
}
