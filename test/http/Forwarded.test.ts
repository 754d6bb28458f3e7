import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import type { RequestHead } from "../../src/ground/Visits.ts"
import { asSent } from "../../src/http/Forwarded.ts"
import { TestGround } from "../../testing/TestGround.ts"
import { connectAs } from "../rpc/Harness.ts"
import { onFakes } from "../support/App.ts"

const head = (address: string, headers: RequestHead["headers"], isSecure = false): RequestHead => ({
  method: "GET",
  target: "/",
  headers: { host: "inside:8002", ...headers },
  address,
  isSecure
})

const proxies = ["127.0.0.1", "10.0.0.0/8", "2001:db8::/32"]
const sentBy = (address: string, headers: RequestHead["headers"], isSecure = false) => {
  const { address: from, headers: seen, isSecure: byTls } = asSent(head(address, headers, isSecure), proxies)
  return [from, byTls ? "https" : "http", seen["host"]].join(" ")
}
const forwardedFor = (address: string, list: string) => sentBy(address, { "x-forwarded-for": list }).split(" ")[0]

describe("a request that came through a proxy is", () => {
  it("the proxy's client's, by the way that it took, where the proxy is trusted", () => {
    const said = { "x-forwarded-for": "198.51.100.7", "x-forwarded-proto": "https", "x-forwarded-host": "cam.example" }
    for (const peer of ["127.0.0.1", "::ffff:127.0.0.1", "10.1.2.3", "2001:db8::5"]) {
      assert.strictEqual(sentBy(peer, said), "198.51.100.7 https cam.example")
    }
    assert.strictEqual(
      sentBy("10.1.2.3", { ...said, "x-forwarded-proto": "http" }, true),
      "198.51.100.7 http cam.example"
    )
    assert.strictEqual(
      sentBy("10.1.2.3", { "x-forwarded-for": "198.51.100.7" }, true),
      "198.51.100.7 https inside:8002"
    )
  })

  it("the proxy's, by its client's way, where the proxy says that alone", () => {
    assert.strictEqual(sentBy("127.0.0.1", { "x-forwarded-proto": "https" }), "127.0.0.1 https inside:8002")
  })

  it("of who sent it, where that one is no trusted proxy, whatever it says", () => {
    const said = {
      "x-forwarded-for": "127.0.0.1",
      "x-forwarded-proto": "https",
      "x-forwarded-host": "evil.example",
      forwarded: "for=127.0.0.1;proto=https;host=evil.example"
    }
    for (const peer of ["198.51.100.7", "127.0.0.2", "11.0.0.1", "::1", "fe80::1%eth0", ""]) {
      assert.strictEqual(sentBy(peer, said), `${peer} http inside:8002`)
      assert.strictEqual(asSent(head(peer, said), []).address, peer)
    }
  })

  it("of the last who is no trusted proxy: what stands before that anybody may have written", () => {
    assert.strictEqual(forwardedFor("127.0.0.1", "192.0.2.66, 198.51.100.7"), "198.51.100.7")
    assert.strictEqual(forwardedFor("127.0.0.1", "192.0.2.66, 198.51.100.7, 10.0.0.5"), "198.51.100.7")
    assert.strictEqual(forwardedFor("127.0.0.1", "10.0.0.9, 10.0.0.5"), "10.0.0.9")
    const nonsense = 'for=192.0.2.66;x=", '
    assert.strictEqual(
      sentBy("127.0.0.1", { forwarded: `${nonsense}for="[2001:db9::7]:4711"` }).split(" ")[0],
      "2001:db9::7"
    )
  })

  it("by the way to the proxy that its client came to, where there are several", () => {
    const chain = { "x-forwarded-for": "198.51.100.7, 10.0.0.5", "x-forwarded-host": "cam.example, inner.example" }
    assert.strictEqual(
      sentBy("127.0.0.1", { ...chain, "x-forwarded-proto": "https, http" }),
      "198.51.100.7 https cam.example"
    )
    assert.strictEqual(
      sentBy("127.0.0.1", { ...chain, "x-forwarded-proto": "https" }),
      "198.51.100.7 https cam.example"
    )
    assert.strictEqual(
      sentBy("127.0.0.1", { forwarded: "for=198.51.100.7;proto=https;host=cam.example, for=10.0.0.5;proto=http" }),
      "198.51.100.7 https cam.example"
    )
  })

  it("known by an address in any of its forms, and else still the proxy's", () => {
    assert.strictEqual(forwardedFor("127.0.0.1", "198.51.100.7:4711"), "198.51.100.7")
    assert.strictEqual(forwardedFor("127.0.0.1", "[2001:db9::7]:4711"), "2001:db9::7")
    assert.strictEqual(forwardedFor("127.0.0.1", "2001:db9::7"), "2001:db9::7")
    assert.strictEqual(forwardedFor("127.0.0.1", "::ffff:198.51.100.7"), "198.51.100.7")
    assert.strictEqual(
      sentBy("127.0.0.1", { forwarded: 'For="[2001:db9::7]";PROTO=https' }),
      "2001:db9::7 https inside:8002"
    )
    for (const hidden of ["unknown", "_secret", "1.2.3.4.5", "", ","]) {
      assert.strictEqual(forwardedFor("10.0.0.5", hidden), "10.0.0.5")
    }
    for (const host of ["cam.example/x?", "a@b", ""]) {
      const said = { "x-forwarded-for": "198.51.100.7", "x-forwarded-host": host }
      assert.strictEqual(sentBy("127.0.0.1", said), "198.51.100.7 http inside:8002")
    }
  })

  it("not this machine's where a proxy elsewhere was asked on its own", () => {
    assert.strictEqual(forwardedFor("10.0.0.5", "127.0.0.1"), "10.0.0.5")
    assert.strictEqual(forwardedFor("127.0.0.1", "127.0.0.1"), "127.0.0.1")
  })

  it("what most proxies say it is, where a client has added the other header", () => {
    const said = { "x-forwarded-for": "198.51.100.7", forwarded: "for=127.0.0.1;host=evil.example" }
    assert.strictEqual(sentBy("127.0.0.1", said), "198.51.100.7 http inside:8002")
  })
})

describe("what is said of other clients", () => {
  // a header of ours is 16 KB at most: by its square this would take minutes
  const long = `for=${" ".repeat(300_000)}"x`

  it("is read in one go, however it is made", () => {
    assert.strictEqual(sentBy("127.0.0.1", { forwarded: long }), "127.0.0.1 http inside:8002")
  })

  it("is not looked at where nobody is trusted who says it", () => {
    const stranger = head("192.0.2.1", { forwarded: long, "x-forwarded-for": "198.51.100.7" })
    assert.strictEqual(asSent(stranger, proxies), stranger)
  })
})

describe("through a trusted proxy", () => {
  const behind = (address: string) => ({ headers: { "x-forwarded-for": address } })

  onFakes(
    "admins see who is connected, and limits count each client by itself",
    Effect.gen(function* () {
      const { visitors } = yield* TestGround
      const admin = yield* connectAs("admin", undefined, behind("198.51.100.7"))
      const { result } = (yield* admin.call({ jsonrpc: "2.0", id: 1, method: "get_clients" })) as {
        readonly result: unknown
      }
      assert.deepInclude((result as { readonly clients: ReadonlyArray<unknown> }).clients[0], {
        address: "198.51.100.7"
      })
      const knock = (address: string) => Effect.result(visitors.connect(8002, { target: "/ws", ...behind(address) }))
      assert.strictEqual((yield* knock("198.51.100.7"))._tag, "Failure")
      assert.strictEqual((yield* knock("198.51.100.8"))._tag, "Success")
    }),
    { server: { trusted_proxies: ["127.0.0.1"], max_connections_per_address: 1 } }
  )
})
