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

/** Who has one IPv6 address has its /64, 2^64 of them (RFC 4291, section 2.5.4): they count as one. */
const networkOf = (address: string): string => {
  if (!address.includes(":") || address.includes(".")) return address
  const [before = "", after] = address.split("::")
  const head = before === "" ? [] : before.split(":")
  const tail = after === undefined || after === "" ? [] : after.split(":")
  const zeros = after === undefined ? 0 : 8 - head.length - tail.length
  return [...head, ...Array.from({ length: zeros }, () => "0"), ...tail].slice(0, 4).join(":")
}
