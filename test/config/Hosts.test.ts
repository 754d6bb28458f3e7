import { assert, describe, it } from "@effect/vitest"
import {
  authority,
  authorityIn,
  hostOf,
  reachableByOthers,
  reachableHere,
  urlAuthority
} from "../../src/config/Hosts.ts"

const hosts = [
  // host, address, in a URL, reached from here, reached by others
  ["127.0.0.1", "127.0.0.1:80", "127.0.0.1:80", "127.0.0.1", "127.0.0.1"],
  ["localhost", "localhost:80", "localhost:80", "localhost", "localhost"],
  ["cam.example", "cam.example:80", "cam.example:80", "cam.example", "cam.example"],
  ["192.168.0.7", "192.168.0.7:80", "192.168.0.7:80", "192.168.0.7", "192.168.0.7"],
  ["::1", "[::1]:80", "[::1]:80", "::1", "::1"],
  ["2001:db8::7", "[2001:db8::7]:80", "[2001:db8::7]:80", "2001:db8::7", "2001:db8::7"],
  ["fe80::1%eth0", "[fe80::1%eth0]:80", "[fe80::1%25eth0]:80", "fe80::1%eth0", "fe80::1%eth0"],
  ["0.0.0.0", "0.0.0.0:80", "0.0.0.0:80", "127.0.0.1", "box"],
  ["::", "[::]:80", "[::]:80", "127.0.0.1", "box"],
  ["0:0:0:0:0:0:0:0", "[0:0:0:0:0:0:0:0]:80", "[0:0:0:0:0:0:0:0]:80", "127.0.0.1", "box"]
] as const

describe("a host", () => {
  for (const [host, address, inUrl, here, there] of hosts) {
    it(`${host} stands in an address and in a URL, and is reached`, () => {
      assert.strictEqual(authority(host, 80), address)
      assert.strictEqual(urlAuthority(host, 80), inUrl)
      assert.strictEqual(reachableHere(host), here)
      assert.strictEqual(reachableByOthers(host, "box"), there)
    })
  }
})

describe("a Host header", () => {
  it.each([
    ["cam.example", "cam.example"],
    ["cam.example:8443", "cam.example"],
    ["my_box:1", "my_box"],
    ["192.168.0.7:8002", "192.168.0.7"],
    ["[::1]:8002", "::1"],
    ["[2001:db8::7]", "2001:db8::7"]
  ])("%s tells a host", (header, host) => {
    assert.strictEqual(authorityIn(header), header)
    assert.strictEqual(hostOf(header), host)
  })

  it.each([
    "",
    ":80",
    "::1",
    "[::1",
    "[cam.example]",
    "[]:80",
    "cam.example:",
    "cam.example:x",
    "user@cam.example",
    "cam.example/path",
    "cam.example?a",
    "cam example",
    "cam.example\r\n",
    "-rf",
    "a".repeat(300),
    "fe80::1%eth0",
    "<script>"
  ])("%j tells none", (header) => assert.isUndefined(authorityIn(header)))
})
