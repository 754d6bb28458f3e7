import { assert, describe, it } from "@effect/vitest"
import { authority, reachableByOthers, reachableHere, urlAuthority } from "../../src/config/Hosts.ts"

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
