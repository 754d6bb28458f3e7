/** So many are told apart: what is made for each of them is not made without end. */
const most = 16

/** The hosts and ports by which clients came that are here now. */
export class Authorities {
  private readonly clients = new Map<string, number>()

  /** one more client that came by this; undefined where that is one of too many */
  take(authority: string | undefined): string | undefined {
    if (authority === undefined) return undefined
    const others = this.clients.get(authority)
    if (others === undefined && this.clients.size >= most) return undefined
    this.clients.set(authority, (others ?? 0) + 1)
    return authority
  }

  /** a client that came by this goes */
  giveBack(authority: string | undefined): void {
    if (authority === undefined) return
    const others = (this.clients.get(authority) ?? 0) - 1
    if (others > 0) this.clients.set(authority, others)
    else this.clients.delete(authority)
  }
}
