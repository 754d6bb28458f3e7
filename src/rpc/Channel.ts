import { errorCodes } from "../../schema/JsonRpc.ts"
import { networkOf } from "../config/Hosts.ts"
import type { Receiver } from "../ground/Visits.ts"
import type { Backlog, Debtor } from "./Backlog.ts"
import type { CallMeter } from "./CallMeter.ts"
import { type Call, CallsInFlight } from "./CallsInFlight.ts"
import type { Connection } from "./Connection.ts"
import type { Method } from "./Methods.ts"
import type { Worker } from "./Rota.ts"
import { readRequest } from "./Request.ts"
import type { RequestLimits } from "./RequestLimits.ts"
import type { Shares } from "./Shares.ts"
import { type FrameEntry, readFrame, tooLong } from "./TextFrame.ts"
import type { Turns } from "./Turns.ts"

/** Reading stops while the client leaves so many bytes unread: what it does not fetch it need not ask for. */
const stallBytes = 64 << 10
const stallBytesOfStranger = 8 << 10

/** What all channels share. */
export interface Switchboard {
  readonly meter: CallMeter
  readonly turns: Turns
  readonly shares: Shares
  readonly limits: RequestLimits["Service"]
  readonly backlog: Backlog
  readonly methods: ReadonlyMap<string, Method>
  readonly dispatch: (channel: Channel, requestId: number, call: Call, payload: unknown) => void
  /** a client that has left so many bytes unread when the next reply comes is disconnected */
  readonly maxUnread: () => number
  /** a client is disconnected for what it left unread: more than it may, or most where all left too much */
  readonly abandoned: (channel: Channel, limit: "server.max_unread_kilobytes" | "unread of all clients") => void
  /** a reply comes next: what the client is to be told before is sent */
  readonly replies: (channel: Channel) => void
  /** the client has read all that was sent */
  readonly drained: (channel: Channel) => void
  /** the client has gone: what it asked for is interrupted */
  readonly left: (channel: Channel) => void
}

/** The JSON-RPC 2.0 side of one connection: frames in, calls out, replies back; and its share of memory. */
export class Channel implements Receiver, Worker, Debtor {
  readonly connection: Connection
  private readonly switchboard: Switchboard
  /** of the frame that came last: what has not had its turn; nothing is read meanwhile */
  private entries: Array<FrameEntry> = []
  private isWorking = false
  /** the user that has as many calls under way as it may have: what is left waits for one of them to end */
  private waitsFor: string | undefined
  private readonly calls: CallsInFlight
  private paused = false
  /** nothing is read yet: who it is has to be known first */
  private held = false
  private stalled = false
  private closed = false

  constructor(connection: Connection, switchboard: Switchboard) {
    this.connection = connection
    this.switchboard = switchboard
    this.calls = new CallsInFlight(switchboard.shares)
  }

  receive(text: string): void {
    if (this.closed) return
    const { meter, turns } = this.switchboard
    const began = meter.now()
    this.accept(text, began)
    // an answer that lets us read on may bring the next frame while this one is worked on
    if (!this.isWorking) {
      let at = began
      while (this.entries.length > 0 && this.hasShare() && turns.hasRoom(at)) {
        this.takeUp()
        if (this.entries.length > 0) at = meter.now()
      }
      if (this.entries.length > 0 && this.waitsFor === undefined) turns.wait(this)
    }
    if (this.full()) this.adjust()
  }

  owner(): string {
    const user = this.user()
    return user === undefined ? `address ${networkOf(this.connection.address)}` : `user ${user}`
  }

  work(): void {
    const { shares, turns } = this.switchboard
    const user = this.waitsFor ?? this.user()
    if (this.entries.length > 0 && this.hasShare()) this.takeUp()
    if (user !== undefined) shares.next(user)
    if (this.entries.length === 0) {
      if (this.paused) this.adjust()
    } else if (this.waitsFor === undefined) turns.wait(this)
  }

  drained(): void {
    this.stalled = false
    this.switchboard.backlog.owes(this, 0)
    this.switchboard.drained(this)
    if (this.paused) this.adjust()
  }

  /** nothing is read until `release` */
  hold(): void {
    this.held = true
    this.adjust()
  }

  release(): void {
    this.held = false
    this.adjust()
  }

  /** nothing is answered any more */
  close(): void {
    this.end()
    this.switchboard.backlog.owes(this, 0)
    this.calls.endAll()
    this.switchboard.left(this)
  }

  unread(): number {
    return this.connection.peer.buffered()
  }

  abandon(): void {
    this.cutOff("unread of all clients", "replies were not read, and all clients together left too many unread")
  }

  /** the call that this request still waits for */
  call(requestId: number): Call | undefined {
    return this.calls.get(requestId)
  }

  /**
   * ends a call, with its reply unless it was a notification; gives the code of the error that went in its place, where it
   * did not fit
   */
  answer(requestId: number, reply: string | undefined): number | undefined {
    const call = this.calls.end(requestId)
    if (call === undefined) return undefined
    const isTooLong = call.id !== undefined && reply !== undefined && !call.frame.takes(reply)
    this.settle(call, isTooLong ? tooLong(call.id) : reply)
    if (this.paused) this.adjust()
    return isTooLong ? errorCodes.RateLimited.code : undefined
  }

  /** stops or starts reading as the limits say */
  private adjust(): void {
    const full = this.full()
    if (full === this.paused || this.closed) return
    this.paused = full
    if (full) this.connection.peer.pause()
    else this.connection.peer.resume()
  }

  private full(): boolean {
    const isStranger = this.connection.session === undefined
    return this.entries.length > 0 || this.held || this.stalled || this.calls.isFull(isStranger)
  }

  private accept(text: string, began: number): void {
    const read = readFrame(text, began)
    if ("reply" in read) {
      this.switchboard.meter.refused(began, read.code.code)
      return this.write(read.reply)
    }
    this.calls.frameCame(text.length)
    for (const entry of read) this.entries.push(entry)
  }

  private user(): string | undefined {
    return this.connection.session?.userId
  }

  /** whether its user may begin another call; where not, it has its turn when that is so */
  private hasShare(): boolean {
    const user = this.user()
    this.waitsFor = user === undefined || this.switchboard.shares.hasRoom(user, this) ? undefined : user
    return this.waitsFor === undefined
  }

  private takeUp(): void {
    const entry = this.entries.shift()
    if (entry === undefined) return
    this.isWorking = true
    this.dispatch(entry)
    this.isWorking = false
  }

  private dispatch(entry: FrameEntry): void {
    const { frame, id } = entry
    const { limits, meter, methods } = this.switchboard
    const request = readRequest(entry, this.connection, methods, limits)
    if (request._tag === "Nothing") return this.settle(entry, undefined)
    if (request._tag === "Refused") {
      meter.refused(frame.began, request.code.code)
      return this.settle(entry, request.reply)
    }
    const call = { id, method: request.method, frame, user: this.user() }
    const requestId = this.calls.begin(call)
    this.switchboard.dispatch(this, requestId, call, request.method.decode(request.params))
  }

  /** one call or entry of a frame is done; the last one of a batch sends all replies in one frame */
  private settle({ frame }: Pick<FrameEntry, "frame">, reply: string | undefined): void {
    const text = frame.settle(reply)
    if (frame.isDone()) this.calls.frameDone(frame.characters)
    if (text !== undefined) this.write(text)
  }

  /** nothing more is begun: what has come by then, and waits for its turn, neither */
  private end(): void {
    this.closed = true
    this.entries = []
    if (this.waitsFor !== undefined) this.switchboard.shares.leave(this.waitsFor, this)
    this.waitsFor = undefined
  }

  private cutOff(limit: Parameters<Switchboard["abandoned"]>[1], reason: string): void {
    this.end()
    this.switchboard.abandoned(this, limit)
    this.connection.peer.cut(1013, reason)
  }

  private write(text: string): void {
    const { peer, session } = this.connection
    if (this.closed) return
    this.switchboard.replies(this)
    if (this.stalled && peer.buffered() > this.switchboard.maxUnread()) {
      return this.cutOff("server.max_unread_kilobytes", "replies were not read")
    }
    peer.send(text)
    if (!this.stalled && peer.buffered() <= (session === undefined ? stallBytesOfStranger : stallBytes)) return
    this.stalled = true
    this.switchboard.backlog.owes(this, peer.buffered())
    this.adjust()
  }
}
