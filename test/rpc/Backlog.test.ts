import { assert, describe, it } from "@effect/vitest"
import { Backlog, type Debtor } from "../../src/rpc/Backlog.ts"

const megabyte = 1 << 20

/** A client with so many unread bytes, and whether it was disconnected. */
class Client implements Debtor {
  left: number
  isGone = false
  constructor(left: number) {
    this.left = left
  }
  unread() {
    return this.left
  }
  abandon() {
    this.isGone = true
  }
}

const owing = (backlog: Backlog, count: number, left: number): ReadonlyArray<Client> =>
  Array.from({ length: count }, () => {
    const client = new Client(left)
    backlog.owes(client, left)
    return client
  })

const unread = (clients: ReadonlyArray<Client>) =>
  clients.reduce((sum, { isGone, left }) => sum + (isGone ? 0 : left), 0)

describe("replies that many clients leave unread", () => {
  it("take 128 MiB together at most: those that leave the most are disconnected, the others are not", () => {
    const backlog = new Backlog()
    const good = owing(backlog, 20, megabyte / 8)
    const greedy = owing(backlog, 1000, 4 * megabyte)
    assert.isAtMost(unread([...good, ...greedy]), 128 * megabyte)
    assert.isTrue(good.every(({ isGone }) => !isGone))
    assert.isTrue(greedy.some(({ isGone }) => isGone))
  })

  it("are counted as they are by then: who has read is not disconnected, nor are others for it", () => {
    const backlog = new Backlog()
    const readers = owing(backlog, 31, 4 * megabyte)
    for (const reader of readers) reader.left = 0
    const last = owing(backlog, 2, 4 * megabyte)
    for (const one of [...readers, ...last]) assert.isFalse(one.isGone)
    for (const one of last) backlog.owes(one, 0)
    assert.isFalse(owing(backlog, 32, 4 * megabyte).some(({ isGone }) => isGone))
  })
})
