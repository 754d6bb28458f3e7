import { Rota, type Worker } from "./Rota.ts"

/** So long, in milliseconds, is worked on calls in one turn of the event loop; then all else has its turn. */
const sliceMillis = 5

/**
 * Shares the event loop between clients, whatever each of them asks for at once: one piece of work after the other while
 * the slice lasts, and in the next turns what is left, newcomers before those that have had some of theirs done. Users take
 * turns, however many connections each of them has.
 */
export class Turns {
  private readonly now: () => number
  private readonly later: (next: () => void) => void
  /** the slice of this turn has begun */
  private isOpen = false
  private began = 0
  private readonly newcomers = new Rota()
  private readonly busy = new Rota()
  private served: Worker | undefined

  /** `now` in monotonic milliseconds; `later` calls in the next turn of the event loop */
  constructor(now: () => number, later: (next: () => void) => void) {
    this.now = now
    this.later = later
  }

  /** whether a piece of work may be done at once */
  hasRoom(): boolean {
    if (!this.newcomers.isEmpty() || !this.busy.isEmpty()) return false
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
    let next = this.busy.take() ?? this.newcomers.take()
    if (next === undefined) return
    this.open()
    do {
      this.newcomers.delete(next)
      this.busy.delete(next)
      this.served = next
      next.work()
      this.served = undefined
      next = this.now() - this.began < sliceMillis ? (this.newcomers.take() ?? this.busy.take()) : undefined
    } while (next !== undefined)
  }
}
