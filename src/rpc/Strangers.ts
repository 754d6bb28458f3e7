import * as Latch from "effect/Latch"
import type { Peer } from "../ground/Visits.ts"
import { Addresses } from "./Addresses.ts"

/** A client, and the IP address that it comes from. */
interface Stranger {
  readonly peer: Peer
  readonly address: string
}

/** The clients that have not authenticated, the oldest first, and where they come from. */
export class Strangers {
  /** when they came, in milliseconds of the monotonic clock */
  private readonly since = new Map<Stranger, number>()
  private readonly addresses = new Addresses()
  /** open while there are some */
  readonly present = Latch.makeUnsafe(false)

  add(stranger: Stranger, now: number): void {
    this.since.set(stranger, now)
    this.addresses.add(stranger.address)
    this.present.openUnsafe()
  }

  /** it has authenticated, or goes */
  delete(stranger: Stranger): void {
    if (this.since.delete(stranger)) this.addresses.delete(stranger.address)
    if (this.since.size === 0) this.present.closeUnsafe()
  }

  /** how many are from where this address is from */
  from(address: string): number {
    return this.addresses.count(address)
  }

  /** the oldest, where it has been here for so many milliseconds */
  oldest(age: number, now: number): Stranger | undefined {
    for (const [stranger, since] of this.since) return now - since >= age ? stranger : undefined
    return undefined
  }
}
