import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import type { CameraId } from "../../schema/Camera.ts"
import type { Session } from "../../schema/Auth.ts"
import { SignedUrls } from "../auth/SignedUrls.ts"
import { portOf, reachableByOthers, urlAuthority, urlHost } from "../config/Hosts.ts"
import { liveNow, Settings } from "../config/Settings.ts"
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

  const authorityFor = (cameBy: string | undefined): string => {
    const { public_host } = liveNow(settings).server
    if (public_host === "") {
      return cameBy ?? urlAuthority(reachableByOthers(settings.boot.server.host, machine.name()), port)
    }
    // a proxy in front of us has the port by which the client came
    const known = cameBy === undefined ? port : portOf(cameBy)
    return known === undefined ? urlHost(public_host) : urlAuthority(public_host, known)
  }

  return (clientId: number, session: Session): Effect.Effect<FileUrls> =>
    Effect.map(Clock.currentTimeMillis, (now) => {
      const { authority, isSecure = false } = connections.get(clientId) ?? {}
      const origin = `${isSecure ? "https" : "http"}://${authorityFor(authority)}`
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
