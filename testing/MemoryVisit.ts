import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Queue from "effect/Queue"
import {
  closeGrace,
  defaultLimits,
  type MessageLimits,
  type Peer,
  type Receiver,
  silentHeartbeats
} from "../src/ground/Visits.ts"
import type { Visitor } from "./Visitors.ts"

const bytesIn = (text: string): number => new TextEncoder().encode(text).length

/** A WebSocket of the memory network. */
export class MemoryVisit implements Peer {
  private readonly later: (effect: Effect.Effect<void>) => void
  private readonly left: () => void
  private receiver: Receiver | undefined
  private limits = defaultLimits
  /** what the visitor sent and the service has not read */
  private readonly waiting: Array<ReadonlyArray<string>> = []
  private paused = false
  private taking = false
  private closing = false
  private over = false
  private silentFor = 0

  /** what the service sent and the visitor has not read */
  private unread: Array<string> = []
  private readonly texts = Effect.runSync(Queue.unbounded<string>())
  private readonly ended = Deferred.makeUnsafe<{ readonly code: number; readonly reason: string }>()
  private reading = true
  private present = true

  /** `later` runs something after what runs now; `left` is called when the connection is over */
  constructor(later: (effect: Effect.Effect<void>) => void, left: () => void) {
    this.later = later
    this.left = left
  }

  open(connect: (peer: Peer) => Receiver): void {
    this.receiver = connect(this)
  }

  send(text: string): void {
    if (this.closing) return
    if (this.reading) Queue.offerUnsafe(this.texts, text)
    else this.unread.push(text)
  }

  sendAll(texts: ReadonlyArray<string>): void {
    for (const text of texts) this.send(text)
  }

  buffered(): number {
    return this.unread.reduce((bytes, text) => bytes + bytesIn(text), 0)
  }

  pause(): void {
    this.paused = true
  }

  resume(): void {
    this.paused = false
    this.silentFor = 0
    this.take()
  }

  limit(limits: MessageLimits): void {
    this.limits = limits
  }

  cut(code: number, reason: string): void {
    if (this.closing) return
    this.closing = true
    const end = Effect.sync(() => this.end(code, reason))
    // who does not read does not answer either
    this.later(this.reading ? end : Effect.delay(end, closeGrace))
  }

  /** a heartbeat: who reads answers pings */
  beat(): void {
    if (this.reading || (this.paused && this.unread.length === 0)) this.silentFor = 0
    else this.silentFor++
    if (this.silentFor > silentHeartbeats) this.end(1006, "")
  }

  /** the connection is no more; the visitor learns of it if it is still there */
  end(code: number, reason: string): void {
    if (this.over) return
    this.over = true
    this.closing = true
    this.left()
    this.receiver?.close()
    if (this.present) Deferred.doneUnsafe(this.ended, Effect.succeed({ code, reason }))
  }

  /** the other end */
  readonly visitor = (): Visitor => ({
    send: (...fragments) => {
      if (!this.present || this.closing) return
      this.waiting.push(fragments)
      this.take()
    },
    text: Queue.take(this.texts),
    closed: Deferred.await(this.ended),
    stopReading: () => {
      this.reading = false
    },
    readOn: () => {
      this.reading = true
      this.silentFor = 0
      if (this.unread.length === 0) return
      for (const text of this.unread) Queue.offerUnsafe(this.texts, text)
      this.unread = []
      if (!this.closing) this.receiver?.drained()
    },
    leave: (code) => this.cut(code, ""),
    vanish: () => {
      this.present = false
      this.reading = false
    }
  })

  private take(): void {
    if (this.taking) return
    this.taking = true
    while (!this.paused && !this.closing) {
      const fragments = this.waiting.shift()
      if (fragments === undefined) break
      const text = fragments.join("")
      this.silentFor = 0
      if (bytesIn(text) > this.limits.bytes) this.cut(1009, `a message has ${this.limits.bytes} bytes at most`)
      else if (fragments.length > this.limits.fragments) this.cut(1008, "a message has fewer fragments")
      else this.receiver?.receive(text)
    }
    this.taking = false
  }
}
