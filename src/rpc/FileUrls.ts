import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import type { CameraId } from "../../schema/Camera.ts"
import type { Session } from "../../schema/Auth.ts"
import { SignedUrls } from "../auth/SignedUrls.ts"
import { portOf, reachableByOthers, urlAuthority, urlHost } from "../config/Hosts.ts"
import { liveNow, Settings } from "../config/Settings.ts"
import { isSecured } from "../config/Tls.ts"
import { Machine } from "../ground/Machine.ts"
import { exportPath, exportUse } from "../http/ExportPath.ts"
import { PublicHttp } from "../http/PublicHttp.ts"
import { type FileKind, filePath } from "../storage/Names.ts"
import type { Period } from "../storage/Period.ts"
import { Connections } from "./Connections.ts"

/** A URL is good for so many milliseconds, and then to the end of the minute: in a minute it is the same one again. */
const goodFor = 600_000
const minute = 60_000

/** Signs URLs of files for one client. */
export interface FileUrls {
  /** epoch milliseconds */
  readonly expiresAt: number
  readonly of: (file: { readonly kind: FileKind; readonly filename: string; readonly device: CameraId }) => string
  /** of all that was recorded of a camera in this time */
  readonly ofExport: (device: CameraId, period: Period) => string
}

/** Where a client downloads files without a header: by the host and the port by which it came. */
export const makeFileUrls = Effect.gen(function* () {
  const settings = yield* Settings
  const machine = yield* Machine
  const connections = yield* Connections
  const signedUrls = yield* SignedUrls
  const { port } = (yield* PublicHttp).address

  const { server, tls } = settings.boot
  /** where others reach us without a proxy: with a certificate the plain port is this machine's alone */
  const direct = isSecured(settings.boot) ? { scheme: "https", port: tls.port } : { scheme: "http", port }

  const originFor = (cameBy: string | undefined, isSecure: boolean): string => {
    const { public_host } = liveNow(settings).server
    const scheme = isSecure ? "https" : "http"
    if (public_host === "" && cameBy !== undefined) return `${scheme}://${cameBy}`
    const host = public_host === "" ? reachableByOthers(server.host, machine.name()) : public_host
    if (cameBy === undefined || (isSecured(settings.boot) && !isSecure)) {
      return `${direct.scheme}://${urlAuthority(host, direct.port)}`
    }
    // a proxy in front of us has the port by which the client came
    const known = portOf(cameBy)
    return `${scheme}://${known === undefined ? urlHost(host) : urlAuthority(host, known)}`
  }

  return (clientId: number, session: Session): Effect.Effect<FileUrls> =>
    Effect.map(Clock.currentTimeMillis, (now) => {
      const { authority, isSecure = false } = connections.get(clientId) ?? {}
      const origin = originFor(authority, isSecure)
      const expiresAt = Math.min(Math.ceil((now + goodFor) / minute) * minute, session.expiresAt)
      return {
        expiresAt,
        of: ({ device, filename, kind }) => {
          const signature = signedUrls.sign(`${kind}/${filename}`, device, session, expiresAt)
          return `${origin}${filePath(kind, filename)}?signed=${signature}`
        },
        ofExport: (device, period) => {
          const signature = signedUrls.sign(exportUse(period), device, session, expiresAt)
          return `${origin}${exportPath(device, period)}&signed=${signature}`
        }
      }
    })
})
