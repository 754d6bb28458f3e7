import type { Connection } from "./Connections.ts"

/**
 * Notifications that wait for their round. A write costs ten times what a notification does: a client that is to be told
 * several things gets them in one, and what many clients are to be told is put together once.
 */
export class Outbox {
  private readonly waiting = new Map<Connection, Bundle>()
  private first = new Bundle([])
  private readonly maxUnread: () => number
  private readonly lostNotice: (lost: number) => string

  /** a client that has left more than `maxUnread` bytes unread loses notifications, and is told so by `lostNotice` */
  constructor(maxUnread: () => number, lostNotice: (lost: number) => string) {
    this.maxUnread = maxUnread
    this.lostNotice = lostNotice
  }

  post(connection: Connection, text: string): void {
    this.waiting.set(connection, (this.waiting.get(connection) ?? this.first).and(text))
  }

  /** those that something waits for */
  round(): ReadonlyArray<Connection> {
    // bundles know those that follow them: they go with their round
    this.first = new Bundle([])
    return [...this.waiting.keys()]
  }

  /** sends what waits for this client */
  deliver(connection: Connection): void {
    const bundle = this.waiting.get(connection)
    if (bundle === undefined) return
    this.waiting.delete(connection)
    const limit = this.maxUnread()
    // who lost some has to catch up in earnest, or it would be told of each one
    if (connection.peer.buffered() > (connection.lost > 0 ? limit / 2 : limit)) {
      connection.lost += bundle.texts.length
      return
    }
    this.tellLost(connection)
    connection.peer.sendAll(bundle.texts)
  }

  /** the client has read, or is about to be told more: it learns of the gap first */
  tellLost(connection: Connection): void {
    if (connection.lost === 0) return
    connection.peer.send(this.lostNotice(connection.lost))
    connection.lost = 0
  }

  discard(connection: Connection): void {
    this.waiting.delete(connection)
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
