import { assert, describe, it } from "vitest"
import * as Redacted from "effect/Redacted"
import * as fc from "fast-check"
import { authorization, challengesIn, isStale, strongestWay } from "../../src/rtsp/Digest.ts"
import type { RtspCredentials } from "../../src/rtsp/Target.ts"
import { Trials } from "../../src/rtsp/Trials.ts"

const credentials = (user: string, password: string): RtspCredentials => ({
  user,
  password: Redacted.make(password),
  mayBeSentInClear: false,
  trials: new Trials(() => 0)
})

/** The response to these headers. */
const response = (
  headers: ReadonlyArray<string>,
  signed: { readonly method: string; readonly uri: string; readonly cnonce: string },
  who: RtspCredentials
): string | undefined => {
  const way = strongestWay(challengesIn(headers), false)
  return way === undefined ? undefined : /response="(\w+)"/.exec(authorization(way, who, { ...signed, count: 1 }))?.[1]
}

describe("a Digest", () => {
  const mufasa = credentials("Mufasa", "Circle of Life")
  const realm =
    'realm="http-auth@example.org", qop="auth, auth-int", nonce="7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v"'
  const opaque = 'opaque="FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS"'
  const get = { method: "GET", uri: "/dir/index.html", cnonce: "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ" }

  it("is that of RFC 7616, 3.9.1, and the strongest that is offered", () => {
    const md5 = `Digest ${realm}, algorithm=MD5, ${opaque}`
    const sha256 = `Digest ${realm}, algorithm=SHA-256, ${opaque}`
    assert.strictEqual(response([md5], get, mufasa), "8ca523f5e9506fed4657c9700eebdbec")
    const strong = "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1"
    assert.strictEqual(response([md5, sha256], get, mufasa), strong)
    assert.strictEqual(response([`${sha256}, ${md5}, Basic realm="x"`], get, mufasa), strong)
  })

  it("is that of RFC 2069, for servers that offer no qop", () => {
    const digest = 'Digest realm="testrealm@host.com", nonce="dcd98b7102dd2f0e8b11d0f600bfb0c093"'
    const get = { method: "GET", uri: "/dir/index.html", cnonce: "" }
    assert.strictEqual(
      response([digest], get, credentials("Mufasa", "CircleOfLife")),
      "1949323746fe6a43ef61f9606e7febea"
    )
  })

  it("of the session hashes the client's nonce in", () => {
    const digest = 'Digest realm="r", nonce="n", algorithm=MD5-sess, qop="auth"'
    const way = strongestWay(challengesIn([digest]), false)
    assert.isDefined(way)
    const signed = { method: "DESCRIBE", uri: "rtsp://c/", cnonce: "0a4f113b", count: 2 }
    const header = authorization(way, credentials("u", "p"), signed)
    // by md5sum: HA1 = md5(md5("u:r:p"):n:0a4f113b), HA2 = md5("DESCRIBE:rtsp://c/")
    assert.include(header, "algorithm=MD5-sess, qop=auth, nc=00000002")
    assert.include(header, 'response="f7c59b856d3057c0752151d366e19acc"')
  })

  it("says what is stale, and is not answered where only what we do not know is offered", () => {
    assert.isTrue(isStale(challengesIn(['Digest realm="r", nonce="n", stale=TRUE'])))
    assert.isFalse(isStale(challengesIn(['Digest realm="r", nonce="n"'])))
    assert.isUndefined(
      strongestWay(challengesIn(['Digest nonce="n", algorithm=SHA-1', 'Digest nonce="n", qop="auth-int"']), false)
    )
    assert.isUndefined(strongestWay(challengesIn(['Basic realm="r"', "Bearer x"]), false))
    assert.deepEqual(strongestWay(challengesIn(['Basic realm="r"']), true), { scheme: "basic" })
  })

  it("of a hostile challenge is one line, and nothing throws", () => {
    const piece = fc.oneof(
      fc.constantFrom(
        "Digest ",
        "Basic ",
        'realm="',
        'nonce="',
        '"',
        ", ",
        "=",
        "\\",
        "algorithm=SHA-256",
        'qop="auth"'
      ),
      fc.string({ maxLength: 10 })
    )
    fc.assert(
      fc.property(fc.array(fc.array(piece, { maxLength: 20 }), { maxLength: 3 }), fc.string(), (headers, user) => {
        const way = strongestWay(challengesIn(headers.map((pieces) => pieces.join(""))), true)
        fc.pre(way !== undefined)
        const signed = { method: "PLAY", uri: "rtsp://c/", count: 1, cnonce: "c" }
        assert.notInclude(authorization(way, credentials(user, "canary"), signed), "canary")
      }),
      { numRuns: 300 }
    )
  })
})
