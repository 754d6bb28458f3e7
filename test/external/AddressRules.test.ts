import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import { parseAddress, parseNetwork } from "../../src/ground/IpAddress.ts"
import { refusalOf, type Surroundings } from "../../src/external/AddressRules.ts"

const bytes = (text: string) => parseAddress(text) ?? []

const around: Surroundings = {
  allowed: [],
  own: [bytes("192.168.7.7"), bytes("fd12::7")],
  ownPorts: new Set([8002, 8554])
}

const refusal = (address: string, port = 554, more: Partial<Surroundings> = {}) =>
  refusalOf(bytes(address), port, { ...around, ...more })

describe("a camera may be", () => {
  it.each([
    "10.0.0.1",
    "172.16.0.1",
    "192.168.42.10",
    "100.64.0.1",
    "8.8.8.8",
    "fd12::8",
    "2606:4700::1111",
    // wrapped ones of the same
    "::ffff:192.168.42.10",
    "64:ff9b::808:808",
    "2002:c0a8:2a0a::1"
  ])("at %s", (address) => expect(refusal(address)).toBeUndefined())
})

describe("no camera is at", () => {
  it.each([
    ["0.0.0.0", "the unspecified address"],
    ["0.1.2.3", "the unspecified address"],
    ["::", "the unspecified address"],
    ["127.0.0.1", "a loopback address"],
    ["127.255.255.254", "a loopback address"],
    ["::1", "a loopback address"],
    ["::ffff:127.0.0.1", "a loopback address"],
    ["::ffff:7f00:1", "a loopback address"],
    ["::127.0.0.1", "a loopback address"],
    ["::ffff:0:127.0.0.1", "a loopback address"],
    ["64:ff9b::7f00:1", "a loopback address"],
    ["2002:7f00:1::", "a loopback address"],
    ["2a00::5efe:7f00:1", "a loopback address"],
    ["fe80::1", "a link-local address"],
    ["169.254.1.1", "a link-local address"],
    ["169.254.169.254", "a cloud's metadata address"],
    ["2002:a9fe:a9fe::", "a cloud's metadata address"],
    ["64:ff9b::a9fe:a9fe", "a cloud's metadata address"],
    ["fd00:ec2::254", "a cloud's metadata address"],
    ["fd00:42::42", "a cloud's metadata address"],
    ["100.100.100.200", "a cloud's metadata address"],
    ["168.63.129.16", "a cloud's metadata address"],
    ["224.0.0.1", "a multicast or broadcast address"],
    ["239.255.255.250", "a multicast or broadcast address"],
    ["255.255.255.255", "a multicast or broadcast address"],
    ["ff02::1", "a multicast or broadcast address"],
    ["240.0.0.1", "a reserved address"],
    ["192.0.2.1", "a reserved address"],
    // Teredo, site-local and NAT64 of a network's own: none of them is a camera's
    ["2001::4136:e378:8000:63bf:3fff:fdd2", "a reserved address"],
    ["fec0::1", "a reserved address"],
    ["3fff:fff::1", "a reserved address"],
    ["64:ff9b:1::1", "a reserved address"],
    ["192.168.7.7", "an address of this machine"],
    ["::ffff:192.168.7.7", "an address of this machine"],
    ["fd12::7", "an address of this machine"]
  ])("%s: it is %s", (address, why) => expect(refusal(address)).toBe(why))

  it("any address that wraps one where none may be, and at none that is not as it should be", () => {
    const loopback = fc.ipV4().map((text) => text.replace(/^\d+/, "127"))
    const wrap = fc.constantFrom(
      (v4: string) => `::ffff:${v4}`,
      (v4: string) => `64:ff9b::${v4}`,
      (v4: string) => `::${v4}`
    )
    fc.assert(
      fc.property(loopback, wrap, (address, wrapped) => {
        // ::127.0.0.1 and the like; the first 16 addresses of all are not wrapped
        expect(refusal(wrapped(address))).toBe("a loopback address")
      })
    )
  })
})

describe("what the operator allows", () => {
  const allowed = ["127.0.0.0/8", "192.168.7.0/24", "169.254.0.0/16"].flatMap((text) => parseNetwork(text) ?? [])

  it.each(["127.0.0.1", "::ffff:127.0.0.1", "192.168.7.7", "169.254.9.9"])("is gone to: %s", (address) => {
    expect(refusal(address, 554, { allowed })).toBeUndefined()
  })

  it.each(["127.0.0.1", "::ffff:127.0.0.1", "192.168.7.7"])("is never a port of this service: %s", (address) => {
    expect(refusal(address, 8554, { allowed })).toBe("a port of this service")
  })

  it("leaves the rest as it is", () => {
    expect(refusal("::1", 554, { allowed })).toBe("a loopback address")
    expect(refusal("192.168.8.8", 8554, { allowed })).toBeUndefined()
  })
})
