/** Who has work that may have to wait. */
export interface Worker {
  /** whose it is: a user, or an address while it is nobody's */
  owner(): string
  /** does one piece of its work; calls `wait` where there is more */
  work(): void
}

/** Workers that wait, each once: their owners take turns, and those of one owner among themselves. */
export class Rota {
  private readonly owners = new Map<string, Set<Worker>>()
  /** whose each was when it came */
  private readonly ownerOf = new Map<Worker, string>()

  isEmpty(): boolean {
    return this.ownerOf.size === 0
  }

  add(worker: Worker): void {
    if (this.ownerOf.has(worker)) return
    const owner = worker.owner()
    this.ownerOf.set(worker, owner)
    const others = this.owners.get(owner)
    if (others === undefined) this.owners.set(owner, new Set([worker]))
    else others.add(worker)
  }

  delete(worker: Worker): void {
    const owner = this.ownerOf.get(worker)
    if (owner === undefined) return
    this.ownerOf.delete(worker)
    const others = this.owners.get(owner)
    others?.delete(worker)
    if (others?.size === 0) this.owners.delete(owner)
  }

  /** the next one, which waits no more */
  take(): Worker | undefined {
    for (const [owner, [worker]] of this.owners) {
      if (worker === undefined) continue
      this.delete(worker)
      const others = this.owners.get(owner)
      if (others !== undefined) {
        // behind the other owners
        this.owners.delete(owner)
        this.owners.set(owner, others)
      }
      return worker
    }
    return undefined
  }
}
