import type { Worker } from "./Rota.ts"
import type { Turns } from "./Turns.ts"

/** So many calls of one user run at once, over all its connections; further ones begin as others end. */
const most = 128

interface Share {
  running: number
  readonly waiting: Set<Worker>
}

/**
 * What each user has under way. Calls that wait for the same thing (a disk, MediaMTX) go on in one turn of the event loop
 * when it comes: without a bound, one user's thousands of them would keep all others waiting.
 */
export class Shares {
  private readonly turns: Turns
  private readonly users = new Map<string, Share>()

  constructor(turns: Turns) {
    this.turns = turns
  }

  /** whether this user may begin another call; where not, the worker has its turn once one has ended */
  hasRoom(user: string, worker: Worker): boolean {
    const share = this.users.get(user)
    if (share === undefined || share.running < most) return true
    share.waiting.add(worker)
    return false
  }

  begin(user: string): void {
    const share = this.users.get(user)
    if (share === undefined) this.users.set(user, { running: 1, waiting: new Set() })
    else share.running++
  }

  end(user: string): void {
    const share = this.users.get(user)
    if (share === undefined) return
    share.running--
    this.next(user)
    if (share.running === 0 && share.waiting.size === 0) this.users.delete(user)
  }

  /** the worker that waits longest has its turn, where there is room: whoever had its own may have begun nothing */
  next(user: string): void {
    const share = this.users.get(user)
    if (share === undefined || share.running >= most) return
    for (const worker of share.waiting) {
      share.waiting.delete(worker)
      return this.turns.wait(worker)
    }
  }

  /** it wants nothing more */
  leave(user: string, worker: Worker): void {
    this.users.get(user)?.waiting.delete(worker)
  }
}
