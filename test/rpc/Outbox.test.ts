import { describe, expect, it } from "vitest"
import * as fc from "fast-check"
import { type Addressee, Outbox } from "../../src/rpc/Outbox.ts"
import { quietPeer } from "../support/QuietPeer.ts"

/** A client that reads at once, and keeps each writing to it. */
const reader = () => {
  const written: Array<ReadonlyArray<string>> = []
  const peer = {
    ...quietPeer,
    send: (text: string) => written.push([text]),
    sendAll: (texts: ReadonlyArray<string>) => written.push(texts)
  }
  const addressee: Addressee = { peer, lost: 0 }
  return { addressee, written }
}

const makeOutbox = () =>
  new Outbox(
    () => 1000,
    String,
    () => undefined
  )

describe("the outbox", () => {
  it("writes to each client what it is to be told, all of it, once and in order, whenever it is delivered", () => {
    const clients = 4
    const text = fc.constantFrom("a", "b", "c")
    const post = fc.record({ text, to: fc.uniqueArray(fc.nat(clients - 1)) })
    const delivery = fc.record({ deliver: fc.nat(clients - 1) })
    fc.assert(
      fc.property(fc.array(fc.oneof(post, delivery)), (steps) => {
        const outbox = makeOutbox()
        const all = Array.from({ length: clients }, reader)
        const wanted = all.map((): Array<string> => [])
        for (const step of steps) {
          if ("deliver" in step) {
            outbox.deliver(all[step.deliver]?.addressee ?? expect.fail())
            continue
          }
          for (const index of step.to) {
            outbox.post(all[index]?.addressee ?? expect.fail(), step.text)
            wanted[index]?.push(step.text)
          }
        }
        for (const addressee of outbox.round()) outbox.deliver(addressee)
        expect(all.map(({ written }) => written.flat())).toEqual(wanted)
        expect(outbox.round()).toEqual([])
      })
    )
  })

  it("makes one writing of what waits, and the same one for all who wait for the same", () => {
    const outbox = makeOutbox()
    const [one, two, other] = [reader(), reader(), reader()]
    for (const { addressee } of [one, two, other]) outbox.post(addressee, "for all")
    for (const { addressee } of [one, two]) outbox.post(addressee, "for two")
    for (const addressee of outbox.round()) outbox.deliver(addressee)
    expect(one.written).toEqual([["for all", "for two"]])
    expect(two.written[0]).toBe(one.written[0])
    expect(other.written).toEqual([["for all"]])
  })

  it("keeps nothing for a client that has gone", () => {
    const outbox = makeOutbox()
    const gone = reader()
    outbox.post(gone.addressee, "too late")
    outbox.discard(gone.addressee)
    expect(outbox.round()).toEqual([])
    outbox.deliver(gone.addressee)
    expect(gone.written).toEqual([])
  })
})
