import * as Effect from "effect/Effect"
import { join } from "node:path"
import { isLoopback, reachableHere, unmapped } from "../config/Hosts.ts"
import { Disk } from "../ground/Disk.ts"
import { KernelFiles } from "../ground/KernelFiles.ts"
import { Machine } from "../ground/Machine.ts"
import { Resolver } from "../ground/Resolver.ts"
import { acceptorsOf, ownersOf } from "../ground/SocketTable.ts"
import { CallFailed } from "./CallFailed.ts"

/** Where a service of this machine is. */
export interface Here {
  /** all addresses that its name stands for */
  readonly hosts: ReadonlyArray<string>
  readonly port: number
  /** the data folder: its owner is who the service runs as */
  readonly folder: string
}

/** Whom a URL leads to on this machine, whatever it calls it; undefined: it leads elsewhere. */
export const hereIn = Effect.fnUntraced(function* (url: string) {
  const { hostname = "", port = "", protocol = "" } = URL.parse(url) ?? {}
  const name = hostname.replace(/^\[|\]$/g, "")
  if (name === "") return undefined
  const resolver = yield* Resolver
  const own = new Set(resolver.own())
  const found = yield* Effect.orElseSucceed(resolver.addressesOf(name), (): ReadonlyArray<string> => [])
  const hosts = found.map((address) => reachableHere(unmapped(address)))
  // at an address that others know, TLS tells who it is: it may well be a proxy's
  const isHere = (address: string) => isLoopback(address) || (protocol !== "wss:" && own.has(address))
  if (!hosts.some(isHere)) return undefined
  return { hosts, port: port === "" ? (protocol === "wss:" ? 443 : 80) : Number(port) }
})

/**
 * Gives the users that listen there. Whoever finds the port free while the service is down may listen in its place, and
 * would be shown a token: only root, the data folder's owner, and who asks, may.
 */
export const trustedListeners = Effect.fnUntraced(function* (here: Here) {
  const owners = (yield* tables).flatMap((table) =>
    here.hosts.flatMap((host) => ownersOf(table, { host, port: here.port }))
  )
  return yield* trusted(owners, here)
})

/** Fails unless this process is connected there, and each such connection has been taken by one of them: who listens now may be another. */
export const trustedAcceptors = Effect.fnUntraced(function* (here: Here) {
  const files = yield* KernelFiles
  const folder = join(files.proc, "self", "fd")
  const open = files.names(folder).map((name) => files.target(join(folder, name)) ?? "")
  const inodes = new Set(open.flatMap((target) => /^socket:\[(\d+)\]$/.exec(target)?.[1] ?? []))
  const owners = acceptorsOf((yield* tables).join("\n"), here.port, inodes)
  const known = owners.filter((owner) => owner !== undefined)
  if (known.length === 0 || known.length < owners.length) return yield* unseen(here)
  return yield* trusted(known, here)
})

/** Nothing is known of who is there. */
export const unseen = ({ hosts, port }: Here) =>
  new CallFailed({ detail: `it cannot be seen who listens at ${hosts.join(", ")}, port ${port}` })

const tables = Effect.map(KernelFiles, (files) =>
  ["tcp", "tcp6"].map((name) => files.text(join(files.proc, "net", name)) ?? "")
)

const trusted = Effect.fnUntraced(function* (owners: ReadonlyArray<number>, { folder, hosts, port }: Here) {
  const disk = yield* Disk
  const machine = yield* Machine
  const owner = yield* Effect.option(disk.rights(folder))
  const allowed = new Set([0, machine.user().id, ...(owner._tag === "Some" ? [owner.value.owner] : [])])
  const stranger = owners.find((user) => !allowed.has(user))
  if (stranger === undefined) return owners
  const detail = `at ${hosts.join(", ")}, port ${port}, another user's program listens (user ${stranger}), who is neither root nor the owner of ${folder}: it is shown no token; stop it, and start the service`
  return yield* new CallFailed({ detail })
})
