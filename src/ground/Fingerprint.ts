import type { X509Certificate } from "node:crypto"
import type { TLSSocket } from "node:tls"

/** `NoReply.code`: another certificate was shown than one that is known; nothing was asked. */
export const otherCertificate = "OTHER_CERTIFICATE"

/** SHA-256, in hex. */
export const fingerprintOf = ({ fingerprint256 }: X509Certificate): string =>
  fingerprint256.replaceAll(":", "").toLowerCase()

/** That of the certificate that the other end has shown; undefined: none yet. */
export const shownFingerprint = (socket: TLSSocket): string | undefined => {
  const certificate = socket.getPeerX509Certificate()
  return certificate === undefined ? undefined : fingerprintOf(certificate)
}
