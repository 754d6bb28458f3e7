import type { TLSSocket } from "node:tls"

/** SHA-256 of the certificate that the other end has shown, in hex; undefined: none yet. */
export const fingerprintOf = (socket: TLSSocket): string | undefined =>
  socket.getPeerX509Certificate()?.fingerprint256.replaceAll(":", "").toLowerCase()
