import * as Effect from "effect/Effect"
import * as Schedule from "effect/Schedule"
import { type IncomingMessage, STATUS_CODES } from "node:http"
import type { Socket } from "node:net"
import { closeFrame, FrameReader, pingFrame, pongFrame, type Signal, textFrame } from "./Frames.ts"
import { handshake } from "./Handshake.ts"
import { targetOf } from "./RequestHeads.ts"
import {
  closeGrace,
  defaultLimits,
  heartbeat,
  type Host,
  type MessageLimits,
  type Peer,
  type Receiver,
  type Refusal,
  silentHeartbeats
} from "./Visits.ts"

/** A client that has left so many bytes unread gets no pongs: pinging must cost it as much as us. */
const maxUnreadForPongs = 16 << 10

/** Behind so many unread bytes no close frame comes through in time: they are given up at once. */
const maxUnreadAtEnd = 256 << 10

/** What opens WebSockets (RFC 6455) for as long as the scope lives: a listener of node's `upgrade`. */
export const makeUpgrade = Effect.fnUntraced(function* (admit: Host["admit"], isSecure: boolean) {
  const run = Effect.runForkWith(yield* Effect.context<never>())
  const scope = yield* Effect.scope
  const clients = new Set<Client>()
  const yard: Yard = {
    framesOf: framesMaker(),
    destroySoon: (socket) => {
      const destroy = Effect.sync(() => socket.destroy())
      run(Effect.forkIn(Effect.delay(destroy, closeGrace), scope))
    },
    left: (client) => void clients.delete(client)
  }

  // one timer for all: 10,000 timers cost more than 10,000 small steps
  yield* Effect.sync(() => clients.forEach((client) => client.beat())).pipe(
    Effect.schedule(Schedule.spaced(heartbeat)),
    Effect.forkScoped
  )

  return (request: IncomingMessage, socket: Socket, first: Buffer): void => {
    destroyOnError(socket)
    const refuse = ({ body, headers, status }: Refusal): void => {
      const lines = [
        `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ""}`,
        ...Object.entries(headers).map(([name, value]) => `${name}: ${value}`),
        `content-length: ${Buffer.byteLength(body)}`,
        "connection: close"
      ]
      socket.end(`${lines.join("\r\n")}\r\n\r\n${body}`)
      // once the answer is with the system; it does not get there where the client left earlier ones unread
      socket.destroySoon()
      yard.destroySoon(socket)
    }
    const admitted = admit({
      method: request.method ?? "",
      target: targetOf(request),
      headers: request.headers,
      address: socket.remoteAddress ?? "",
      isSecure
    })
    if (typeof admitted !== "function") return refuse(admitted)
    const answer = handshake(request)
    if (typeof answer === "number") return refuse(noHandshake(answer))
    // it has gone already
    if (!socket.readable || !socket.writable) return void socket.destroy()
    socket.write(answer)
    const client = new Client(socket, yard)
    clients.add(client)
    client.open(admitted, first)
  }
})

const noHandshake = (status: number): Refusal => ({
  status,
  headers: { "content-type": "application/json" },
  body: `${JSON.stringify({
    error: {
      message: STATUS_CODES[status],
      data: { suggestion: "open a WebSocket with GET and the headers of its opening handshake (RFC 6455, section 4.1)" }
    }
  })}\n`
})

/** A function of its own: a listener made where the request is in reach would keep it as long as the connection. */
const destroyOnError = (socket: Socket): void => void socket.on("error", () => socket.destroy())

/** What all clients share. */
interface Yard {
  readonly framesOf: (texts: ReadonlyArray<string>) => Buffer
  /** after the grace, if it is open then */
  readonly destroySoon: (socket: Socket) => void
  readonly left: (client: Client) => void
}

class Client implements Peer {
  private readonly socket: Socket
  private readonly yard: Yard
  private readonly reader = new FrameReader(defaultLimits)
  private receiver: Receiver | undefined
  /** heartbeats since it was last heard of */
  private silentFor = 0
  /** we do not read from it, so it cannot be heard */
  private paused = false
  private reading = false
  /** a close frame was sent */
  private closing = false
  /** nothing that it sends can be understood any more */
  private broken = false

  constructor(socket: Socket, yard: Yard) {
    this.socket = socket
    this.yard = yard
  }

  open(connect: (peer: Peer) => Receiver, first: Buffer): void {
    const { socket } = this
    socket.setNoDelay(true)
    socket.setTimeout(0)
    this.receiver = connect(this)
    socket.on("data", (bytes: Buffer) => this.take(bytes))
    socket.on("drain", () => this.drained())
    // it sends no more: what a client that closes by hand does (section 7.1.1)
    socket.on("end", () => socket.end())
    socket.on("close", () => this.left())
    if (first.length > 0) this.take(first)
  }

  send(text: string): void {
    if (!this.closing && this.socket.writable) this.socket.write(textFrame(text))
  }

  sendAll(texts: ReadonlyArray<string>): void {
    if (!this.closing && this.socket.writable) this.socket.write(this.yard.framesOf(texts))
  }

  buffered(): number {
    return this.socket.writableLength
  }

  pause(): void {
    this.paused = true
    this.socket.pause()
  }

  resume(): void {
    this.paused = false
    this.silentFor = 0
    this.socket.resume()
    this.read()
  }

  limit(limits: MessageLimits): void {
    this.reader.limit(limits)
  }

  /** asks for the close handshake, and does not wait long for it */
  cut(code: number | undefined, reason: string): void {
    if (this.closing) return
    if (this.socket.writableLength > maxUnreadAtEnd) return void this.socket.destroy()
    if (this.socket.writable) this.socket.write(closeFrame(code, reason))
    this.closing = true
    this.yard.destroySoon(this.socket)
    // its close frame may lie behind what is not read
    if (this.paused) this.resume()
  }

  beat(): void {
    // while we do not read, silence means nothing, unless it does not read either
    if (this.paused && this.socket.writableLength === 0) this.silentFor = 0
    else this.silentFor++
    if (this.silentFor > silentHeartbeats) this.socket.destroy()
    else if (!this.closing && this.socket.writable) this.socket.write(pingFrame)
  }

  private take(bytes: Buffer): void {
    this.silentFor = 0
    if (this.broken) return
    this.reader.push(bytes)
    this.read()
  }

  private drained(): void {
    this.silentFor = 0
    if (!this.closing) this.receiver?.drained()
  }

  private left(): void {
    this.broken = true
    this.closing = true
    this.yard.left(this)
    this.receiver?.close()
  }

  private read(): void {
    if (this.reading) return
    this.reading = true
    while (!this.paused && !this.broken) {
      const came = this.reader.next()
      if (came === undefined) break
      if (typeof came !== "string") this.obey(came)
      else if (!this.closing) this.receiver?.receive(came)
    }
    this.reading = false
  }

  private obey(signal: Signal): void {
    switch (signal._tag) {
      case "Ping":
        if (!this.closing && this.socket.writable && this.socket.writableLength <= maxUnreadForPongs) {
          this.socket.write(pongFrame(signal.payload))
        }
        return
      case "Pong":
        return
      case "Broken":
        this.broken = true
        return this.cut(signal.code, signal.reason)
      case "Close":
        this.broken = true
        this.cut(signal.code, "")
        this.socket.end()
    }
  }
}

/** Makes the frames of several texts, as one piece; those that many get are made once. */
const framesMaker = () => {
  const made = new WeakMap<ReadonlyArray<string>, Buffer>()
  return (texts: ReadonlyArray<string>): Buffer => {
    let frames = made.get(texts)
    if (frames === undefined) {
      frames = Buffer.concat(texts.map(textFrame))
      made.set(texts, frames)
    }
    return frames
  }
}
