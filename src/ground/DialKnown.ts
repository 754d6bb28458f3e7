import type { Agent } from "node:https"
import type { connect, ConnectionOptions } from "node:tls"
import { otherCertificate, shownFingerprint } from "./Fingerprint.ts"

/**
 * How an agent connects to who shows a certificate that is known (SHA-256, in hex), and to nobody else. A certificate is for
 * the names by which others come, and may be signed by anybody: who answers on this machine's own port is known by the very
 * one. What is asked is not sent before.
 */
export const dialKnown =
  (dial: typeof connect, isKnown: (fingerprint: string) => boolean): Agent["createConnection"] =>
  (options, made) => {
    const socket = dial({ ...(options as ConnectionOptions), rejectUnauthorized: false })
    const stalled = () => socket.destroy(new Error("the TLS handshake takes too long"))
    socket.once("timeout", stalled)
    socket.once("error", (cause) => made?.(cause, socket))
    socket.once("secureConnect", () => {
      socket.off("timeout", stalled)
      if (isKnown(shownFingerprint(socket) ?? "")) return made?.(null, socket)
      socket.destroy()
      made?.(Object.assign(new Error("it shows another certificate"), { code: otherCertificate }), socket)
    })
    return undefined
  }
