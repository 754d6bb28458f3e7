import * as Effect from "effect/Effect"
import { readFileSync } from "node:fs"
import { connect, type Socket } from "node:net"

/** A frame of a client (RFC 6455, section 5.2), with this mask. */
export const frame = (
  payload: string | Uint8Array,
  { opcode = 1, isLast = true, mask = [0, 0, 0, 0] }: { opcode?: number; isLast?: boolean; mask?: Array<number> } = {}
): Buffer => {
  const bytes = Buffer.from(payload as string)
  const head = [(isLast ? 0x80 : 0) | opcode]
  if (bytes.length < 126) head.push(0x80 | bytes.length)
  else if (bytes.length < 65_536) head.push(0xfe, bytes.length >> 8, bytes.length & 0xff)
  else head.push(0xff, 0, 0, 0, 0, ...[24, 16, 8, 0].map((shift) => (bytes.length >>> shift) & 0xff))
  return Buffer.concat([Buffer.from([...head, ...mask]), bytes.map((byte, at) => byte ^ (mask[at % 4] ?? 0))])
}

const request = (path: string, headers: Readonly<Record<string, string>>): string => {
  const all = {
    Host: "x",
    Connection: "Upgrade",
    Upgrade: "websocket",
    "Sec-WebSocket-Version": "13",
    // the example of RFC 6455, section 1.3
    "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
    ...headers
  }
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`)
  return `GET ${path} HTTP/1.1\r\n${lines.join("")}\r\n`
}

/** A TCP connection that has asked for a WebSocket and got an answer, which is given too; it never closes by itself. */
export const upgrade = Effect.fnUntraced(function* (
  port: number,
  path = "/ws",
  headers: Readonly<Record<string, string>> = {}
) {
  const socket = yield* dial(port)
  socket.write(request(path, headers))
  const answer = yield* Effect.callback<string>((resume) => {
    socket.once("data", (data: Buffer) => {
      socket.pause()
      resume(Effect.succeed(data.toString()))
    })
  })
  return { socket, answer }
})

/** A TCP connection that says nothing yet. */
export const dial = (port: number) =>
  Effect.acquireRelease(
    Effect.callback<Socket>((resume) => {
      const socket = connect({ host: "127.0.0.1", port, allowHalfOpen: true }, () => resume(Effect.succeed(socket)))
      socket.on("error", () => undefined)
    }),
    (socket) => Effect.sync(() => socket.destroy())
  )

/** What comes until the other side ends. */
export const untilEnd = (socket: Socket) =>
  Effect.callback<Buffer>((resume) => {
    const chunks: Array<Buffer> = []
    socket.on("data", (data: Buffer) => chunks.push(data))
    const ended = () => resume(Effect.succeed(Buffer.concat(chunks)))
    socket.once("end", ended)
    socket.once("close", ended)
    if (socket.readableEnded || socket.destroyed) ended()
    socket.resume()
  })

/** How many descriptors a process here holds for connections to this port of its own (proc(5), /proc/net/tcp). */
export const heldBy = (port: number): number => {
  const local = `:${port.toString(16).toUpperCase().padStart(4, "0")}`
  const listening = "0A"
  return readFileSync("/proc/net/tcp", "utf8")
    .split("\n")
    .map((line) => line.trim().split(/\s+/))
    .filter(([, from, , state, , , , , , inode]) => from?.endsWith(local) && state !== listening && inode !== "0")
    .length
}
