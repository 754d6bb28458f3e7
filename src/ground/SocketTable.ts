import { parseAddress } from "./IpAddress.ts"

/** One end of a TCP connection, or (`to` absent) a listening socket, by numeric addresses. */
export interface Socket {
  readonly host: string
  readonly port: number
  /** the port at the other end */
  readonly to?: number
  /** the address at the other end, where nothing else takes that port: without it, what others have there is looked at too */
  readonly at?: string
}

const established = "01"
const listening = "0A"

const hex = (value: number, digits: number) => value.toString(16).toUpperCase().padStart(digits, "0")

/** As the tables write it: each word of four bytes in the machine's own order, the last byte first on all that we run on. */
const written = (host: string): string | undefined => {
  const bytes = parseAddress(host)
  return bytes?.map((_, i) => hex(bytes[4 * Math.floor(i / 4) + 3 - (i % 4)] ?? 0, 2)).join("")
}

/** The inodes of such a socket in a table of `/proc/net/tcp` or `tcp6` (proc_pid_net(5)); there may be several. */
export const inodesIn = (table: string, { host, port, to }: Socket): ReadonlyArray<string> => {
  const address = written(host)
  if (address === undefined) return []
  const local = `${address}:${hex(port, 4)}`
  const remotePort = to === undefined ? "" : `:${hex(to, 4)}`
  const state = to === undefined ? listening : established
  return table.split("\n").flatMap((line) => {
    const [, from = "", other = "", is = "", , , , , , inode = ""] = line.trim().split(/\s+/)
    return from === local && other.endsWith(remotePort) && is === state ? [inode] : []
  })
}

/** The numbers of the users whose sockets take who comes to this address, or, where it is none but a name, to this port. */
export const ownersOf = (table: string, { host, port }: Pick<Socket, "host" | "port">): ReadonlyArray<number> => {
  const address = written(host)
  const takes = (local: string) =>
    address === undefined || /^0+$/.test(local) || local === address || local === `0000000000000000FFFF0000${address}`
  return table.split("\n").flatMap((line) => {
    const [, at = "", , state = "", , , , user = ""] = line.trim().split(/\s+/)
    const [local = "", number = ""] = at.split(":")
    return state === listening && number === hex(port, 4) && takes(local) ? [Number(user)] : []
  })
}

/**
 * The numbers of the users who have the other ends of those TCP connections to this port whose near ends have these inodes;
 * undefined: nobody has taken it yet, or it is not on this machine. `tables`: `tcp` and `tcp6`, one behind the other.
 */
export const acceptorsOf = (
  tables: string,
  port: number,
  inodes: ReadonlySet<string>
): ReadonlyArray<number | undefined> => {
  const mapped = /^0{16}FFFF0{4}/
  const rows = tables.split("\n").flatMap((line) => {
    const [, near = "", far = "", state = "", , , , user = "", , inode = ""] = line.trim().split(/\s+/)
    return state === established ? [{ near: near.replace(mapped, ""), far: far.replace(mapped, ""), user, inode }] : []
  })
  return rows
    .filter(({ far, inode }) => inodes.has(inode) && far.endsWith(`:${hex(port, 4)}`))
    .map((mine) => {
      const other = rows.find(({ far, near }) => near === mine.far && far === mine.near)
      return other === undefined || other.inode === "0" ? undefined : Number(other.user)
    })
}

/** The inodes of the sockets that listen on this port, at whatever address, in such a table. */
export const listenersOn = (table: string, port: number): ReadonlyArray<string> =>
  table.split("\n").flatMap((line) => {
    const [, local = "", , state = "", , , , , , inode = ""] = line.trim().split(/\s+/)
    return state === listening && local.endsWith(`:${hex(port, 4)}`) ? [inode] : []
  })
