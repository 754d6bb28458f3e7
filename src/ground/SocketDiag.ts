import type { KoffiFunc } from "koffi"
import { parseAddress } from "./IpAddress.ts"
import type { Socket } from "./SocketTable.ts"

/** sys/socket.h, linux/netlink.h, linux/sock_diag.h, the same on x86-64 and arm64. */
const AF_INET = 2
const AF_INET6 = 10
const AF_NETLINK = 16
const SOCK_RAW_CLOEXEC = 3 | 0o2000000
const NETLINK_SOCK_DIAG = 4
const SOCK_DIAG_BY_FAMILY = 20
const NLM_F_REQUEST = 1
const IPPROTO_TCP = 6
const TCP_ESTABLISHED = 1
const MSG_DONTWAIT = 0x40

/** Of the C library that Node itself runs on; Node has no netlink. */
const loadCalls = async () => {
  const { load } = await import("koffi")
  const libc = load(null)
  const moving = "int fd, void *bytes, size_t length, int flags"
  return {
    socket: libc.func("int socket(int domain, int type, int protocol)") as KoffiFunc<
      (domain: number, type: number, protocol: number) => number
    >,
    send: libc.func(`long send(${moving})`) as KoffiFunc<
      (fd: number, bytes: Buffer, length: number, flags: number) => number
    >,
    recv: libc.func(`long recv(${moving})`) as KoffiFunc<
      (fd: number, bytes: Buffer, length: number, flags: number) => number
    >,
    close: libc.func("int close(int fd)") as KoffiFunc<(fd: number) => number>
  }
}

let calls: ReturnType<typeof loadCalls> | undefined

/** `struct nlmsghdr`, and behind it `struct inet_diag_req_v2` (sock_diag(7)) for the one socket between two addresses. */
const questionFor = (near: ReadonlyArray<number>, far: ReadonlyArray<number>, { port, to }: Socket): Buffer => {
  const question = Buffer.alloc(72)
  question.writeUInt32LE(question.length, 0)
  question.writeUInt16LE(SOCK_DIAG_BY_FAMILY, 4)
  question.writeUInt16LE(NLM_F_REQUEST, 6)
  question[16] = near.length === 4 ? AF_INET : AF_INET6
  question[17] = IPPROTO_TCP
  question.writeUInt32LE(1 << TCP_ESTABLISHED, 20)
  question.writeUInt16BE(port, 24)
  question.writeUInt16BE(to ?? 0, 26)
  question.set(near, 28)
  question.set(far, 44)
  // no cookie (INET_DIAG_NOCOOKIE)
  question.fill(0xff, 64)
  return question
}

/** Of `struct inet_diag_msg` behind the head: a listening socket is answered where there is none of that connection. */
const inodeIn = (answer: Buffer): string | undefined =>
  answer.length >= 88 && answer.readUInt16LE(4) === SOCK_DIAG_BY_FAMILY && answer[17] === TCP_ESTABLISHED
    ? String(answer.readUInt32LE(84))
    : undefined

/**
 * The inode of this end of a connection whose other end is known (sock_diag(7)): one question, where the tables in
 * `/proc/net` are 5 ms of the kernel's time, and 20 with a thousand connections. Undefined where it is not to be found so.
 * Loads koffi (12 ms), if nobody has yet.
 */
export const inodeOf = async (socket: Socket): Promise<string | undefined> => {
  const [near, far] = [parseAddress(socket.host), parseAddress(socket.at ?? "")]
  if (near === undefined || far?.length !== near.length) return undefined
  calls ??= loadCalls()
  const libc = await calls
  const fd = libc.socket(AF_NETLINK, SOCK_RAW_CLOEXEC, NETLINK_SOCK_DIAG)
  if (fd < 0) return undefined
  try {
    const question = questionFor(near, far, socket)
    if (libc.send(fd, question, question.length, 0) !== question.length) return undefined
    const answer = Buffer.alloc(512)
    // it is there when the question was taken
    const length = libc.recv(fd, answer, answer.length, MSG_DONTWAIT)
    return length > 0 ? inodeIn(answer.subarray(0, length)) : undefined
  } finally {
    libc.close(fd)
  }
}
