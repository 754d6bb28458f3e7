/** So long, in milliseconds, is worked on calls in one turn of the event loop; then all else has its turn. */
const sliceMillis = 5

/** Who has work that may have to wait. */
export interface Worker {
  /** does one piece of its work; calls `wait` where there is more */
  work(): void
}

/**
 * Shares the event loop between clients, whatever each of them asks for at once: one piece of work after the other while
 * the slice lasts, and in the next turns what is left, newcomers before those that have had some of theirs done.
 */
export class Turns {
  private readonly now: () => number
  private readonly later: (next: () => void) => void
  /** the slice of this turn has begun */
  private isOpen = false
  private began = 0
  private readonly newcomers = new Set<Worker>()
  private readonly busy = new Set<Worker>()
  private served: Worker | undefined

  /** `now` in monotonic milliseconds; `later` calls in the next turn of the event loop */
  constructor(now: () => number, later: (next: () => void) => void) {
    this.now = now
    this.later = later
  }

  /** whether a piece of work may be done at once */
  hasRoom(): boolean {
    if (this.newcomers.size > 0 || this.busy.size > 0) return false
    if (this.isOpen) return this.now() - this.began < sliceMillis
    this.open()
    return true
  }

  /** until its `work` is called */
  wait(worker: Worker): void {
    if (!this.isOpen) this.open()
    if (worker === this.served) this.busy.add(worker)
    else this.newcomers.add(worker)
  }

  private open(): void {
    this.isOpen = true
    this.began = this.now()
    this.later(this.turn)
  }

  private readonly turn = (): void => {
    this.isOpen = false
    let next = first(this.busy) ?? first(this.newcomers)
    if (next === undefined) return
    this.open()
    do {
      this.newcomers.delete(next)
      this.busy.delete(next)
      this.served = next
      next.work()
      this.served = undefined
      next = first(this.newcomers) ?? first(this.busy)
    } while (next !== undefined && this.now() - this.began < sliceMillis)
  }
}

const first = (workers: ReadonlySet<Worker>): Worker | undefined => {
  for (const worker of workers) return worker
  return undefined
}
