import { otherCertificate } from "../ground/Fingerprint.ts"
import { type NoReply, tooLarge } from "../ground/Loopback.ts"
import type { RtspFailed } from "../rtsp/RtspFailed.ts"
import { whyUnreachable } from "../rtsp/Unreachable.ts"

/** Why a camera gave no (whole) reply over HTTP. */
export const webFault = ({ code, detail }: NoReply): Pick<RtspFailed, "kind" | "detail"> => {
  if (code === otherCertificate) return { kind: "CERTIFICATE_CHANGED", detail }
  if (code === tooLarge) return { kind: "PROTOCOL", detail }
  return { kind: "UNREACHABLE", detail: code === undefined ? detail : whyUnreachable(code) }
}
