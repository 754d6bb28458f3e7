import * as Effect from "effect/Effect"
import { readdirSync, readlinkSync } from "node:fs"
import { readFile } from "node:fs/promises"
import { inodeOf } from "./SocketDiag.ts"
import { inodesIn, type Socket } from "./SocketTable.ts"

/**
 * Whether this process of ours has the socket, alone; undefined where the kernel's tables have no such socket
 * (proc_pid_net(5), proc_pid_fd(5)).
 */
export const ownsSocket = (pid: number, socket: Socket): Effect.Effect<boolean | undefined> =>
  Effect.promise(async () => {
    const inode = await inodeOf(socket).catch(() => undefined)
    const inodes = inode === undefined ? await inTable(socket) : [inode]
    if (inodes.length === 0) return undefined
    const open = new Set(linksIn(`/proc/${pid}/fd`))
    return inodes.every((inode) => open.has(`socket:[${inode}]`))
  })

const inTable = async (socket: Socket): Promise<ReadonlyArray<string>> => {
  // a kernel without IPv6 has no such table
  const table = await readFile(`/proc/net/${socket.host.includes(":") ? "tcp6" : "tcp"}`, "latin1").catch(() => "")
  return inodesIn(table, socket)
}

/** None where the process is gone, or becomes another program. */
const linksIn = (folder: string): ReadonlyArray<string> => {
  try {
    return readdirSync(folder).flatMap((name) => linkAt(`${folder}/${name}`))
  } catch {
    return []
  }
}

/** None where it was closed meanwhile. */
const linkAt = (path: string): ReadonlyArray<string> => {
  try {
    return [readlinkSync(path)]
  } catch {
    return []
  }
}
