import type { Boot } from "./BootSettings.ts"
import { reachableHere } from "./Hosts.ts"

/** What is encrypted. With a certificate, other machines come by TLS alone: what is plain is for this one. Pure. */

const here = "127.0.0.1"

export const isSecured = ({ tls }: Pick<Boot, "tls">): boolean => tls.certificate_file !== ""

/** An operator's MediaMTX is encrypted as they have told it: of that nothing is known. */
export const areStreamsSecured = ({ mediamtx, tls }: Pick<Boot, "mediamtx" | "tls">): boolean =>
  isSecured({ tls }) && mediamtx.managed

/** Where JSON-RPC and downloads are served without TLS. */
export const plainServer = ({ server, tls }: Pick<Boot, "server" | "tls">): Boot["server"] =>
  isSecured({ tls }) ? { ...server, host: here } : server

/** Where MediaMTX listens for RTSP without TLS. */
export const plainRtspHost = (boot: Pick<Boot, "mediamtx" | "tls">): string =>
  areStreamsSecured(boot) ? here : boot.mediamtx.host

/** The same, as this machine reaches it. */
export const rtspHere = (boot: Pick<Boot, "mediamtx" | "tls">): { readonly host: string; readonly port: number } => ({
  host: reachableHere(plainRtspHost(boot)),
  port: boot.mediamtx.rtsp_port
})
