import type { Peer } from "../ground/Visits.ts"
import { Addresses } from "./Addresses.ts"

/** The clients that have not authenticated, the oldest first, and where they come from. */
export class Strangers {
  /** when they came, in milliseconds of the monotonic clock */
  private readonly since = new Map<Peer, number>()
  private readonly addresses = new Addresses()

  add(peer: Peer, now: number): void {
    this.since.set(peer, now)
    this.addresses.add(peer.address)
  }

  /** it has authenticated, or goes */
  delete(peer: Peer): void {
    if (this.since.delete(peer)) this.addresses.delete(peer.address)
  }

  /** how many are from where this address is from */
  from(address: string): number {
    return this.addresses.count(address)
  }

  /** the oldest, where it has been here for so many milliseconds */
  oldest(age: number, now: number): Peer | undefined {
    for (const [peer, since] of this.since) return now - since >= age ? peer : undefined
    return undefined
  }
}
