import * as Effect from "effect/Effect"
import { join } from "node:path"
import { Disk } from "../ground/Disk.ts"
import { KernelFiles } from "../ground/KernelFiles.ts"
import { Machine } from "../ground/Machine.ts"
import { ownersOf } from "../ground/SocketTable.ts"
import { CallFailed } from "./CallFailed.ts"

/** Where a service of this machine is. */
export interface Here {
  readonly host: string
  readonly port: number
  /** the data folder: its owner is who the service runs as */
  readonly folder: string
}

/** Whom a URL leads to on this machine; undefined: it leads elsewhere. */
export const hereIn = (url: string): Pick<Here, "host" | "port"> | undefined => {
  const { hostname = "", port = "", protocol = "" } = URL.parse(url) ?? {}
  const host = hostname.replace(/^\[|\]$/g, "")
  if (!/^(127\.[\d.]+|::1|localhost)$/.test(host)) return undefined
  return { host, port: port === "" ? (protocol === "wss:" ? 443 : 80) : Number(port) }
}

/**
 * Gives the users that listen there. Whoever finds the port free while the service is down may listen in its place, and
 * would be shown a token: only root, the data folder's owner, and who asks, may.
 */
export const trustedListeners = Effect.fnUntraced(function* ({ folder, host, port }: Here) {
  const disk = yield* Disk
  const files = yield* KernelFiles
  const machine = yield* Machine
  const owner = yield* Effect.option(disk.rights(folder))
  const trusted = new Set([0, machine.user().id, ...(owner._tag === "Some" ? [owner.value.owner] : [])])
  const owners = ["tcp", "tcp6"].flatMap((name) =>
    ownersOf(files.text(join(files.proc, "net", name)) ?? "", { host, port })
  )
  const stranger = owners.find((user) => !trusted.has(user))
  if (stranger === undefined) return owners
  const detail = `at ${host}, port ${port}, another user's program listens (user ${stranger}), who is neither root nor the owner of ${folder}: it is shown no token; stop it, and start the service`
  return yield* new CallFailed({ detail })
})
