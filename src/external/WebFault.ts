import { otherCertificate } from "../ground/Fingerprint.ts"
import { type NoReply, tooLarge } from "../ground/Loopback.ts"
import type { RtspFailed } from "../rtsp/RtspFailed.ts"
import { whyUnreachable } from "../rtsp/Unreachable.ts"

/** Why a camera gave no (whole) reply over HTTP. */
export const webFault = ({ code, detail }: NoReply): Pick<RtspFailed, "kind" | "detail"> => {
  if (code === otherCertificate) return { kind: "CERTIFICATE_CHANGED", detail }
  if (code === tooLarge) return { kind: "PROTOCOL", detail }
  // Node's names for what its parser does not know
  if (code?.startsWith("HPE_") === true) return { kind: "PROTOCOL", detail: "what answers speaks no HTTP at this port" }
  // OpenSSL's for what begins like no TLS of any version
  if (/wrong version number/i.test(detail))
    return { kind: "PROTOCOL", detail: "what answers speaks no TLS at this port" }
  return { kind: "UNREACHABLE", detail: code === undefined ? detail : whyUnreachable(code) }
}
