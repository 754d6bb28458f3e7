import type { Peer } from "../ground/Visits.ts"

/** Whom something is sent to. */
export interface Addressee {
  readonly peer: Peer
  /** notifications that it was to get and did not, since it was last told how many */
  lost: number
}

/**
 * Notifications that wait for their round. Each write is a system call: a client that is to be told several things gets
 * them in one, and what many clients are to be told is put together once.
 */
export class Outbox {
  private readonly waiting = new Map<Addressee, Bundle>()
  private first = new Bundle([])
  private readonly maxUnread: () => number
  private readonly lostNotice: (lost: number) => string
  private readonly dropped: (count: number) => void

  /**
   * a client that has left more than `maxUnread` bytes unread loses notifications, which `dropped` hears at once, and is
   * told so by `lostNotice`
   */
  constructor(maxUnread: () => number, lostNotice: (lost: number) => string, dropped: (count: number) => void) {
    this.maxUnread = maxUnread
    this.lostNotice = lostNotice
    this.dropped = dropped
  }

  post(addressee: Addressee, text: string): void {
    this.waiting.set(addressee, (this.waiting.get(addressee) ?? this.first).and(text))
  }

  /** those that something waits for */
  round(): ReadonlyArray<Addressee> {
    // bundles know those that follow them: they go with their round
    this.first = new Bundle([])
    return [...this.waiting.keys()]
  }

  /** sends what waits for this client */
  deliver(addressee: Addressee): void {
    const bundle = this.waiting.get(addressee)
    if (bundle === undefined) return
    this.waiting.delete(addressee)
    const limit = this.maxUnread()
    // who lost some has to catch up in earnest, or it would be told of each one
    if (addressee.peer.buffered() > (addressee.lost > 0 ? limit / 2 : limit)) {
      addressee.lost += bundle.texts.length
      this.dropped(bundle.texts.length)
      return
    }
    this.tellLost(addressee)
    addressee.peer.sendAll(bundle.texts)
  }

  /** the client has read, or is about to be told more: it learns of the gap first */
  tellLost(addressee: Addressee): void {
    if (addressee.lost === 0) return
    addressee.peer.send(this.lostNotice(addressee.lost))
    addressee.lost = 0
  }

  discard(addressee: Addressee): void {
    this.waiting.delete(addressee)
  }
}

/** Texts, the same object for all clients that wait for the same ones. */
class Bundle {
  readonly texts: ReadonlyArray<string>
  private readonly next = new Map<string, Bundle>()

  constructor(texts: ReadonlyArray<string>) {
    this.texts = texts
  }

  and(text: string): Bundle {
    let next = this.next.get(text)
    if (next === undefined) {
      next = new Bundle([...this.texts, text])
      this.next.set(text, next)
    }
    return next
  }
}
