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
  /** in the next turn of the event loop a slice begins */
  private isNext = false
  private began = -Infinity
  private readonly newcomers = new Rota()
  private readonly busy = new Rota()
  private served: Worker | undefined

  /** `now` in monotonic milliseconds; `later` calls in the next turn of the event loop */
  constructor(now: () => number, later: (next: () => void) => void) {
    this.now = now
    this.later = later
  }

  /**
   * whether a piece of work that came `at` this moment may be done at once; a slice that was begun is used by the turns
   * after it too, since each new one costs as much as a tenth of a small call
   */
  hasRoom(at: number): boolean {
    return this.newcomers.isEmpty() && this.busy.isEmpty() && at - this.began < sliceMillis
  }

  /** until its `work` is called */
  wait(worker: Worker): void {
    if (worker === this.served) this.busy.add(worker)
    else this.newcomers.add(worker)
    this.awaitTurn()
  }

  private awaitTurn(): void {
    if (this.isNext) return
    this.isNext = true
    this.later(this.turn)
  }

  private readonly turn = (): void => {
    this.isNext = false
    this.began = this.now()
    let next = this.busy.take() ?? this.newcomers.take()
    while (next !== undefined) {
      this.newcomers.delete(next)
      this.busy.delete(next)
      this.served = next
      next.work()
      this.served = undefined
      if (this.now() - this.began >= sliceMillis) break
      next = this.newcomers.take() ?? this.busy.take()
    }
    if (!this.newcomers.isEmpty() || !this.busy.isEmpty()) this.awaitTurn()
  }
}
