import { networkOf } from "../config/Hosts.ts"

/** How many there are from each address. */
export class Addresses {
  private readonly counts = new Map<string, number>()

  add(address: string): void {
    this.counts.set(networkOf(address), this.count(address) + 1)
  }

  delete(address: string): void {
    const left = this.count(address) - 1
    if (left > 0) this.counts.set(networkOf(address), left)
    else this.counts.delete(networkOf(address))
  }

  /** how many are from where this address is from */
  count(address: string): number {
    return this.counts.get(networkOf(address)) ?? 0
  }
}
