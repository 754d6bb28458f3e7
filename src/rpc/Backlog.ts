/** So many bytes of replies may lie unread, of all clients together. */
const most = 128 << 20

/** A client that leaves replies unread. */
export interface Debtor {
  /** bytes that it has not read by now */
  unread(): number
  /** it is disconnected: nobody comes for what it left */
  abandon(): void
}

/** What clients leave unread: each may leave some of it, and a thousand of them must not take all memory. */
export class Backlog {
  /** the bytes when they were last looked at */
  private readonly debts = new Map<Debtor, number>()
  private total = 0

  /** it has so many bytes unread; where that is too much for all, those that have the most are disconnected */
  owes(debtor: Debtor, bytes: number): void {
    this.total += bytes - (this.debts.get(debtor) ?? 0)
    if (bytes > 0) this.debts.set(debtor, bytes)
    else this.debts.delete(debtor)
    if (this.total > most) this.clear()
  }

  private clear(): void {
    // most may have read meanwhile, and need not have told
    this.total = 0
    for (const debtor of this.debts.keys()) {
      const bytes = debtor.unread()
      this.debts.set(debtor, bytes)
      this.total += bytes
    }
    if (this.total <= most) return
    // down to half of it: the next ones do not have us look again at once
    const worst = [...this.debts].toSorted(([, a], [, b]) => b - a)
    for (const [debtor, bytes] of worst) {
      if (this.total <= most / 2) return
      this.debts.delete(debtor)
      this.total -= bytes
      debtor.abandon()
    }
  }
}
