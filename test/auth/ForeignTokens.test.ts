import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as TestClock from "effect/testing/TestClock"
import * as Redacted from "effect/Redacted"
import { createHmac } from "node:crypto"
import type { Session } from "../../schema/Auth.ts"
import { ApiKeys } from "../../src/auth/ApiKeys.ts"
import { untilOver, whyOver } from "../../src/auth/Credentials.ts"
import { SignedUrls } from "../../src/auth/SignedUrls.ts"
import { Ports } from "../../testing/MemoryLoopback.ts"
import {
  base64,
  bench,
  change,
  claims,
  ec,
  ed,
  hmac,
  makePair,
  refusal,
  rsa,
  secret,
  sign,
  verified
} from "./ForeignBench.ts"

describe("a token of an identity provider", () => {
  it.effect("counts when one of its keys signed it, by RS256, ES256 or EdDSA", () =>
    bench(() =>
      Effect.gen(function* () {
        for (const pair of yield* Effect.promise(() => Promise.all([rsa, ec, ed]))) {
          const session = yield* verified(yield* sign(pair, { cameras: ["camera1*"] }))
          assert.deepInclude(session, { userId: "ann", role: "operator", cameras: ["camera1*"] })
          assert.include(session.credential, { kind: "token", lifetime: undefined })
        }
        // our own go on, and those of others who have the secret, whatever they call a `sid`
        const own = `${base64({ alg: "HS256" })}.${base64({ ...claims, sid: 5 })}`
        const signature = createHmac("sha256", secret).update(own).digest("base64url")
        assert.strictEqual((yield* verified(`${own}.${signature}`)).userId, "ann")
      })
    )
  )

  it.effect("is refused where its signature, its algorithm or its key is another", () =>
    bench((provider) =>
      Effect.gen(function* () {
        const [r, e] = yield* Effect.promise(() => Promise.all([rsa, ec]))
        const stranger = yield* Effect.promise(() => makePair("ES256", "e1"))
        assert.strictEqual(yield* refusal(yield* sign(stranger)), "the token's signature is wrong")
        // the key of this name is of another type
        assert.strictEqual(yield* refusal(yield* sign(e, {}, { kid: "r1" })), "the token's key is none of its issuer's")
        const token = yield* sign(r)
        const [header, , signature] = token.split(".")
        const promoted = `${header}.${base64({ ...claims, role: "admin" })}.${signature}`
        assert.strictEqual(yield* refusal(promoted), "the token's signature is wrong")

        // public keys as the secret of an HMAC (algorithm confusion), in each form that an attacker has
        const oct = { kty: "oct", k: Buffer.from("x".repeat(32)).toString("base64url"), kid: "o1", alg: "HS256" }
        provider.keys = [...provider.keys, oct]
        yield* TestClock.adjust("31 seconds")
        yield* refusal(yield* sign(r, {}, { kid: "new" }))
        for (const key of [
          JSON.stringify(r.jwk),
          r.jwk.n ?? "",
          Buffer.from(r.jwk.n ?? "", "base64url"),
          "x".repeat(32)
        ]) {
          for (const kid of ["r1", "o1"]) {
            assert.strictEqual(yield* refusal(hmac({ alg: "HS256", kid }, key)), "the token's signature is wrong")
          }
        }
        for (const alg of ["none", "None", "HS384", "RS1"]) {
          assert.isString(yield* refusal(`${base64({ alg, kid: "r1" })}.${base64(claims)}.`), alg)
          assert.isString(yield* refusal(hmac({ alg, kid: "r1" }, r.jwk.n ?? "")), alg)
        }
        for (const alg of ["RS512", "PS256"]) {
          const other = yield* Effect.promise(() => makePair(alg, "p1"))
          assert.strictEqual(yield* refusal(yield* sign(other)), "the token's algorithm is not allowed")
        }
      })
    )
  )

  it.effect("needs the claims that ours do, and no more than them", () =>
    bench(() =>
      Effect.gen(function* () {
        const pair = yield* Effect.promise(() => ec)
        for (const more of [{ role: "root" }, { user_id: "" }, { exp: undefined }, { cameras: ["/dev/video0"] }]) {
          assert.include(yield* refusal(yield* sign(pair, more)), "lacks a claim")
        }
        yield* verified(yield* sign(pair, { sub: "x", groups: ["y"], nonce: 1 }))
      })
    )
  )

  it.effect("must be of the issuer and for the audience that are configured", () =>
    bench(
      () =>
        Effect.gen(function* () {
          const pair = yield* Effect.promise(() => ec)
          const right = { iss: "https://id", aud: "cameras" }
          yield* verified(yield* sign(pair, right))
          yield* verified(yield* sign(pair, { ...right, aud: ["others", "cameras"] }))
          for (const [more, reason] of [
            [{ ...right, iss: "https://other" }, "the token is of another issuer"],
            [{ ...right, iss: undefined }, "the token is of another issuer"],
            [{ ...right, aud: "others" }, "the token is for another audience"],
            [{ ...right, aud: undefined }, "the token is for another audience"]
          ] as const) {
            assert.strictEqual(yield* refusal(yield* sign(pair, more)), reason)
          }
        }),
      { issuer: "https://id", audience: "cameras" }
    )
  )

  it.effect("may come from a clock that differs by 30 s from ours", () =>
    bench(() =>
      Effect.gen(function* () {
        const pair = yield* Effect.promise(() => ec)
        const token = yield* sign(pair, { exp: 60 })
        yield* verified(yield* sign(pair, { nbf: 29, iat: 29 }))
        assert.strictEqual(yield* refusal(yield* sign(pair, { nbf: 31 })), "the token is not valid yet")
        yield* TestClock.adjust("89 seconds")
        assert.strictEqual((yield* verified(token)).expiresAt, 90_000)
        yield* TestClock.adjust("1 second")
        assert.strictEqual(yield* refusal(token), "the token has expired")
        // no date is later
        assert.strictEqual((yield* verified(yield* sign(pair, { exp: 8.64e12 }))).expiresAt, 8.64e15)
      })
    )
  )
})

describe("what is configured of tokens", () => {
  it.effect("holds from now on when it changes: whose they are, for whom, and by what clock", () =>
    bench(() =>
      Effect.gen(function* () {
        const pair = yield* Effect.promise(() => ec)
        const jwks_url = "http://127.0.0.1:9000/jwks?tenant=1"
        const token = yield* sign(pair, { nbf: 20 })
        yield* verified(token)
        for (const [auth, reason] of [
          [{ issuer: "https://id" }, "the token is of another issuer"],
          [{ audience: "cameras" }, "the token is for another audience"],
          [{ clock_skew_seconds: 10 }, "the token is not valid yet"]
        ] as const) {
          yield* change({ jwks_url, ...auth })
          assert.strictEqual(yield* refusal(token), reason)
        }
        yield* change({ jwks_url, issuer: "https://id", audience: "cameras" })
        const right = { iss: "https://id", aud: "cameras" }
        yield* verified(yield* sign(pair, right))
        // ours go by the same
        const own = `${base64({ alg: "HS256" })}.${base64(claims)}`
        const signature = createHmac("sha256", secret).update(own).digest("base64url")
        assert.strictEqual(yield* refusal(`${own}.${signature}`), "the token is of another issuer")
      })
    )
  )

  it.effect("ends who came by the tokens of before and what these made, and nobody else", () =>
    bench(() =>
      Effect.gen(function* () {
        const pair = yield* Effect.promise(() => ec)
        const own = `${base64({ alg: "HS256" })}.${base64(claims)}`
        const signature = createHmac("sha256", secret).update(own).digest("base64url")
        const ours = yield* verified(`${own}.${signature}`)
        const { sign: signUrl, verify: verifyUrl } = yield* SignedUrls
        const keys = yield* ApiKeys
        /** what a session makes: a URL and a viewing key, and whom these let in */
        const make = Effect.fnUntraced(function* (session: Session) {
          const url = signUrl("stream", "camera0", session, 60_000)
          const { credential, expiresAt, userId: createdBy } = session
          if (credential.kind !== "token") return yield* Effect.die("it was a token")
          const grant = { kind: "viewing", role: "viewer", createdBy, expiresAt, terms: credential.terms.id } as const
          const key = Redacted.value((yield* keys.create(grant)).secret)
          const open = Effect.all([verifyUrl("stream", url), keys.verify(key)])
          const opened = yield* open
          return {
            all: [session, ...opened],
            refusals: Effect.all([Effect.flip(verifyUrl("stream", url)), Effect.flip(keys.verify(key))]),
            open
          }
        })
        const byOurs = yield* make(ours)
        const jwks_url = "http://127.0.0.1:9000/jwks?tenant=1"
        const right = { iss: "https://id", aud: "cameras" }
        for (const auth of [
          // a service whose tokens are all its own again: another provider is no matter of these
          { jwks_url: "" },
          { jwks_url, issuer: "https://id" },
          { jwks_url, issuer: "https://id", audience: "cameras" }
        ]) {
          yield* change({ jwks_url })
          const session = yield* verified(yield* sign(pair, right))
          const { all, refusals } = yield* make(session)
          const ending = yield* Effect.forkChild(Effect.forEach(all, untilOver, { concurrency: 3 }))
          yield* change({ ...auth, clock_skew_seconds: 30 })
          const reasons = ["tokens have to be others than before", "tokens have to be others than before"]
          assert.deepStrictEqual(yield* Fiber.join(ending), [...reasons, "the key was revoked"])
          assert.deepStrictEqual(
            (yield* refusals).map(({ reason }) => reason),
            ["the signature is wrong", "the key was revoked"]
          )
          const isOurs = !("issuer" in auth)
          for (const one of byOurs.all) assert.strictEqual(whyOver(one, 0) === undefined, isOurs)
          if (isOurs) yield* byOurs.open
          else yield* byOurs.refusals
        }
      })
    )
  )

  it.effect("is another provider at once when its address changes, or none", () =>
    bench(() =>
      Effect.gen(function* () {
        const [e, other] = yield* Effect.promise(() => Promise.all([ec, makePair("ES256", "e9")]))
        const [known, strange] = [yield* sign(e), yield* sign(other)]
        yield* verified(known)
        const ports = yield* Ports
        yield* ports.listen(9001, { pid: 0, http: () => Effect.succeed({ status: 200, body: { keys: [other.jwk] } }) })
        yield* change({ jwks_url: "http://127.0.0.1:9001/" })
        yield* verified(strange)
        assert.strictEqual(yield* refusal(known), "the token's key is none of its issuer's")
        yield* change({ jwks_url: "" })
        for (const token of [known, strange]) {
          assert.strictEqual(yield* refusal(token), "the token's algorithm is not allowed")
        }
      })
    )
  )

  it.effect("is nothing of what a token says it is for: JWT, an access token, or nothing said", () =>
    bench(() =>
      Effect.gen(function* () {
        const pair = yield* Effect.promise(() => ec)
        for (const typ of [undefined, "JWT", "jwt", "at+jwt", "application/at+jwt"]) {
          yield* verified(yield* sign(pair, {}, typ === undefined ? {} : { typ }))
        }
        for (const typ of ["logout+jwt", "dpop+jwt", "secevent+jwt", "JOSE", ""]) {
          assert.include(yield* refusal(yield* sign(pair, {}, { typ })), "is for something else", typ)
        }
      })
    )
  )
})
