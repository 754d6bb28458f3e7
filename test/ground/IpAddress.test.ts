import * as fc from "fast-check"
import { BlockList, isIP } from "node:net"
import { describe, expect, it } from "vitest"
import { isIn, parseAddress, parseNetwork } from "../../src/ground/IpAddress.ts"

const anyAddress = fc.oneof(fc.ipV4(), fc.ipV6())

describe("an address", () => {
  it("is what Node takes for one, and nothing else", () => {
    const almost = fc.stringMatching(/^[0-9a-f:.]{1,40}$/)
    fc.assert(
      fc.property(fc.oneof(anyAddress, almost, fc.string()), (text) => {
        const bytes = parseAddress(text)
        expect(bytes?.length ?? 0).toBe([0, 4, 16][[0, 4, 6].indexOf(isIP(text.includes("%") ? "" : text))])
        expect(bytes?.every((byte) => Number.isInteger(byte) && byte >= 0 && byte <= 255) ?? true).toBe(true)
      }),
      { numRuns: 2000 }
    )
  })

  it("is in a network exactly where Node says so", () => {
    const pairs = fc.oneof(
      fc.tuple(fc.ipV4(), fc.ipV4(), fc.integer({ min: 0, max: 32 })),
      fc.tuple(fc.ipV6(), fc.ipV6(), fc.integer({ min: 0, max: 128 }))
    )
    fc.assert(
      fc.property(pairs, ([first, address, bits]) => {
        const list = new BlockList()
        const family = first.includes(":") ? "ipv6" : "ipv4"
        list.addSubnet(first, bits, family)
        const network = { address: parseAddress(first) ?? [], bits }
        expect(isIn(network, parseAddress(address) ?? [])).toBe(list.check(address, family))
        expect(isIn(network, network.address)).toBe(true)
      }),
      { numRuns: 2000 }
    )
  })
})

describe("a network", () => {
  it.each(["10.0.0.0/8", "192.168.1.64", "0.0.0.0/0", "fd00::/8", "::/0", "2001:db8::1"])("%s is one", (text) => {
    expect(parseNetwork(text)).toBeDefined()
  })

  it.each(["10.0.0.1/8", "10.0.0.0/33", "10.0.0.0/", "10.0.0.0/08", "10.0.0.0/8/8", "fd00::1/8", "host", "", "/8"])(
    "%s is none",
    (text) => expect(parseNetwork(text)).toBeUndefined()
  )
})
