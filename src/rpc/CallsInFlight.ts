import type { Method } from "./Methods.ts"
import type { Shares } from "./Shares.ts"
import type { TextFrame } from "./TextFrame.ts"

/** Calls of one connection that run side by side; reading stops while there are so many. */
const most = 64
/** A client that has not authenticated asks for little more than that. */
const mostOfStranger = 1
/** Reading also stops while the frames of the calls in flight have so many characters together. */
const mostCharacters = 1 << 20

/** A call that runs: how to answer it. */
export interface Call {
  /** the raw text of its id; undefined for a notification, which gets no reply */
  readonly id: string | undefined
  readonly method: Method
  readonly frame: TextFrame
  /** whose call it is; undefined: a stranger's */
  readonly user: string | undefined
}

/** The calls of one connection that run, and what they take. */
export class CallsInFlight {
  private readonly shares: Shares
  private readonly calls = new Map<number, Call>()
  private nextRequestId = 0
  /** of frames that are not done */
  private characters = 0

  constructor(shares: Shares) {
    this.shares = shares
  }

  isFull(isStranger: boolean): boolean {
    return this.calls.size >= (isStranger ? mostOfStranger : most) || this.characters >= mostCharacters
  }

  frameCame(characters: number): void {
    this.characters += characters
  }

  frameDone(characters: number): void {
    this.characters -= characters
  }

  /** gives the number that it goes by */
  begin(call: Call): number {
    const requestId = this.nextRequestId++
    this.calls.set(requestId, call)
    if (call.user !== undefined) this.shares.begin(call.user)
    return requestId
  }

  get(requestId: number): Call | undefined {
    return this.calls.get(requestId)
  }

  /** the call that ends with this; undefined: it has ended */
  end(requestId: number): Call | undefined {
    const call = this.calls.get(requestId)
    if (call === undefined) return undefined
    this.calls.delete(requestId)
    if (call.user !== undefined) this.shares.end(call.user)
    return call
  }

  endAll(): void {
    for (const { user } of this.calls.values()) if (user !== undefined) this.shares.end(user)
    this.calls.clear()
  }
}
