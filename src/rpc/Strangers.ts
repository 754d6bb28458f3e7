import { networkOf } from "../config/Hosts.ts"
import type { Peer } from "../ground/Visits.ts"

/** The clients that have not authenticated, the oldest first, and where they come from. */
export class Strangers {
  /** when they came, in milliseconds of the monotonic clock */
  private readonly since = new Map<Peer, number>()
  private readonly counts = new Map<string, number>()

  add(peer: Peer, now: number): void {
    this.since.set(peer, now)
    this.counts.set(networkOf(peer.address), this.from(peer.address) + 1)
  }

  /** it has authenticated, or goes */
  delete(peer: Peer): void {
    if (!this.since.delete(peer)) return
    const left = this.from(peer.address) - 1
    if (left > 0) this.counts.set(networkOf(peer.address), left)
    else this.counts.delete(networkOf(peer.address))
  }

  /** how many are from where this address is from */
  from(address: string): number {
    return this.counts.get(networkOf(address)) ?? 0
  }

  /** the oldest, where it has been here for so many milliseconds */
  oldest(age: number, now: number): Peer | undefined {
    for (const [peer, since] of this.since) return now - since >= age ? peer : undefined
    return undefined
  }
}
