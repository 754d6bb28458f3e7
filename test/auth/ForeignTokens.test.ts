import { assert, describe, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as SubscriptionRef from "effect/SubscriptionRef"
import type { Scope } from "effect/Scope"
import * as TestClock from "effect/testing/TestClock"
import type { CryptoKey, JWK } from "jose"
import { SignJWT } from "jose/jwt/sign"
import { exportJWK } from "jose/key/export"
import { generateKeyPair } from "jose/key/generate/keypair"
import { createHmac } from "node:crypto"
import { createServer, type Server } from "node:http"
import { ApiKeys } from "../../src/auth/ApiKeys.ts"
import { Credentials } from "../../src/auth/Credentials.ts"
import { SignedUrls } from "../../src/auth/SignedUrls.ts"
import { Tokens } from "../../src/auth/Tokens.ts"
import { decodeRecord, Settings } from "../../src/config/Settings.ts"
import { NoReply } from "../../src/ground/Loopback.ts"
import { Network } from "../../src/ground/Network.ts"
import { DataFolder } from "../../src/storage/DataFolder.ts"
import { SmallFiles } from "../../src/storage/SmallFiles.ts"
import { Ports } from "../../testing/MemoryLoopback.ts"
import * as MemoryNetwork from "../../testing/MemoryNetwork.ts"
import { memoryGround } from "../storage/Workbench.ts"
import { testSettings } from "../support/TestSettings.ts"

const secret = "a configured secret of more than 32 characters"

interface Pair {
  readonly alg: string
  readonly kid: string
  readonly privateKey: CryptoKey
  readonly jwk: JWK
}

const makePair = async (alg: string, kid: string): Promise<Pair> => {
  const { privateKey, publicKey } = await generateKeyPair(alg, { extractable: true })
  return { alg, kid, privateKey, jwk: { ...(await exportJWK(publicKey)), kid, use: "sig" } }
}
// an RSA key takes its time to make
const rsa = makePair("RS256", "r1")
const ec = makePair("ES256", "e1")
const ed = makePair("EdDSA", "d1")

const claims = { user_id: "ann", role: "operator", iat: 0, exp: 3600 }

const sign = ({ alg, kid, privateKey }: Pair, more: object = {}, header: object = {}) =>
  Effect.promise(() => new SignJWT({ ...claims, ...more }).setProtectedHeader({ alg, kid, ...header }).sign(privateKey))

const base64 = (value: unknown) => Buffer.from(JSON.stringify(value)).toString("base64url")
const hmac = (header: object, key: string | Uint8Array) => {
  const body = `${base64(header)}.${base64(claims)}`
  return `${body}.${createHmac("sha256", key).update(body).digest("base64url")}`
}

const verified = (token: string) => Effect.flatMap(Credentials, ({ verify }) => verify(token))
const refusal = (token: string) => Effect.map(Effect.flip(verified(token)), ({ reason }) => reason)

const service = (auth: object) =>
  Credentials.layer.pipe(
    Layer.provide(SignedUrls.layer),
    Layer.provide([Tokens.layer, ApiKeys.layer]),
    Layer.provide([DataFolder.layerShared, SmallFiles.layer]),
    Layer.provideMerge(
      Layer.succeed(Settings, testSettings({ data_dir: "/data", auth: { jwt_secret: secret, ...auth } }))
    )
  )

/** The file says this of tokens from now on. */
const change = Effect.fnUntraced(function* (auth: object) {
  const { live } = yield* decodeRecord({ auth })
  yield* SubscriptionRef.set((yield* Settings).live, live)
})

/** An identity provider in memory, and the service that knows where it is. */
const bench = <A, E>(
  body: (provider: {
    keys: ReadonlyArray<object>
    status: number
    isDown: boolean
    asked: number
    hangs: Deferred.Deferred<void> | undefined
  }) => Effect.Effect<A, E, Credentials | Settings | Ports | Scope>,
  auth: object = {}
) =>
  Effect.gen(function* () {
    const pairs = yield* Effect.promise(() => Promise.all([rsa, ec, ed]))
    const provider = {
      keys: pairs.map(({ jwk }) => jwk) as ReadonlyArray<object>,
      status: 200,
      isDown: false,
      asked: 0,
      hangs: undefined as Deferred.Deferred<void> | undefined
    }
    const ports = yield* Ports
    yield* ports.listen(9000, {
      pid: 0,
      http: ({ path }) =>
        Effect.gen(function* () {
          assert.strictEqual(path, "/jwks?tenant=1")
          provider.asked++
          if (provider.hangs !== undefined) yield* Deferred.await(provider.hangs)
          if (provider.isDown) return yield* new NoReply({ detail: "connect ECONNREFUSED" })
          return { status: provider.status, body: { keys: provider.keys } }
        })
    })
    const layer = service({ jwks_url: "http://127.0.0.1:9000/jwks?tenant=1", ...auth })
    return yield* Effect.provide(body(provider), layer)
  }).pipe(Effect.scoped, Effect.provide([MemoryNetwork.layer, memoryGround]))

describe("a token of an identity provider", () => {
  it.effect("counts when one of its keys signed it, by RS256, ES256 or EdDSA", () =>
    bench(() =>
      Effect.gen(function* () {
        for (const pair of yield* Effect.promise(() => Promise.all([rsa, ec, ed]))) {
          const session = yield* verified(yield* sign(pair, { cameras: ["camera1*"] }))
          assert.deepInclude(session, { userId: "ann", role: "operator", cameras: ["camera1*"] })
          assert.deepStrictEqual(session.credential, { kind: "token", lifetime: undefined })
        }
        // our own go on
        const own = `${base64({ alg: "HS256" })}.${base64(claims)}`
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

describe("an identity provider's keys", () => {
  it.effect("are asked for once, and again when a token names a new one: not more often than every 30 s", () =>
    bench((provider) =>
      Effect.gen(function* () {
        const [r, e] = yield* Effect.promise(() => Promise.all([rsa, ec]))
        for (let i = 0; i < 20; i++) yield* verified(yield* sign(r))
        assert.strictEqual(provider.asked, 1)
        const fresh = yield* Effect.promise(() => makePair("ES256", "e2"))
        provider.keys = [r.jwk, fresh.jwk]
        yield* TestClock.adjust("30 seconds")
        yield* verified(yield* sign(fresh))
        assert.strictEqual(provider.asked, 2)
        // the one that it took back counts no more
        assert.strictEqual(yield* refusal(yield* sign(e)), "the token's key is none of its issuer's")
        for (let i = 0; i < 100; i++) yield* refusal(yield* sign(fresh, {}, { kid: `made up ${i}` }))
        assert.strictEqual(provider.asked, 2)
        yield* TestClock.adjust("30 seconds")
        for (let i = 0; i < 100; i++) yield* refusal(yield* sign(fresh, {}, { kid: `made up ${i}` }))
        assert.strictEqual(provider.asked, 3)
      })
    )
  )

  it.effect("need no name where there is one that fits, and one where there are more", () =>
    bench((provider) =>
      Effect.gen(function* () {
        const pair = yield* Effect.promise(() => ec)
        yield* verified(yield* sign(pair, {}, { kid: undefined }))
        const second = yield* Effect.promise(() => makePair("ES256", "e2"))
        provider.keys = [pair.jwk, second.jwk]
        yield* TestClock.adjust("11 minutes")
        yield* verified(yield* sign(pair))
        yield* TestClock.adjust("1 millis")
        assert.include(yield* refusal(yield* sign(pair, {}, { kid: undefined })), "(kid)")
      })
    )
  )

  it.effect("go on while the provider is down, however long", () =>
    bench((provider) =>
      Effect.gen(function* () {
        const pair = yield* Effect.promise(() => ec)
        yield* verified(yield* sign(pair))
        for (const trouble of [{ isDown: true }, { isDown: false, status: 500 }, { status: 200, keys: [1] }]) {
          Object.assign(provider, trouble)
          const asked = provider.asked
          yield* TestClock.adjust("5 hours")
          yield* verified(yield* sign(pair, { exp: 999_999 }))
          yield* TestClock.adjust("1 millis")
          assert.strictEqual(provider.asked, asked + 1)
          yield* verified(yield* sign(pair, { exp: 999_999 }))
        }
      })
    )
  )

  it.effect("that were never had are asked for again after 5 s; until then the reason is told", () =>
    bench((provider) =>
      Effect.gen(function* () {
        provider.isDown = true
        const token = yield* sign(yield* Effect.promise(() => ec))
        // the first time was the start
        assert.strictEqual(yield* refusal(token), "the identity provider's keys cannot be had at the moment")
        assert.strictEqual(yield* refusal(token), "the identity provider's keys cannot be had at the moment")
        assert.strictEqual(provider.asked, 1)
        provider.isDown = false
        yield* TestClock.adjust("5 seconds")
        yield* verified(token)
        assert.strictEqual(provider.asked, 2)
      })
    )
  )

  it.effect("are waited for by all who need them, for 5 s at most", () =>
    bench((provider) =>
      Effect.gen(function* () {
        const token = yield* sign(yield* Effect.promise(() => ec))
        yield* verified(token)
        provider.hangs = yield* Deferred.make<void>()
        yield* TestClock.adjust("30 seconds")
        const strange = yield* sign(yield* Effect.promise(() => ec), {}, { kid: "e9" })
        const waiting = yield* Effect.forkChild(
          Effect.all([refusal(strange), refusal(strange)], { concurrency: "unbounded" }),
          { startImmediately: true }
        )
        // who needs none of it does not wait
        yield* verified(token)
        yield* TestClock.adjust("4 seconds")
        assert.isUndefined(waiting.pollUnsafe())
        yield* TestClock.adjust("1 second")
        yield* Fiber.join(waiting)
        assert.strictEqual(provider.asked, 2)
      })
    )
  )

  it.live("come over HTTP", () =>
    Effect.gen(function* () {
      const pair = yield* Effect.promise(() => ec)
      const server = yield* Effect.acquireRelease(
        Effect.callback<Server>((resume) => {
          const made = createServer((request, response) => {
            if (request.url === "/moved") response.writeHead(302, { location: "/jwks" }).end()
            else if (request.url === "/endless") response.end("x".repeat(2 << 20))
            else response.end(JSON.stringify({ keys: [pair.jwk] }))
          })
          made.listen(0, "127.0.0.1", () => resume(Effect.succeed(made)))
        }),
        (made) => Effect.sync(() => made.close())
      )
      const address = server.address()
      const port = typeof address === "object" && address !== null ? address.port : 0
      const at = (path: string) => service({ jwks_url: `http://127.0.0.1:${port}${path}` })
      const now = Math.floor(Date.now() / 1000)
      const token = yield* sign(pair, { iat: now, exp: now + 60 })
      assert.strictEqual((yield* Effect.provide(verified(token), at("/jwks"))).userId, "ann")
      for (const path of ["/moved", "/endless"]) {
        assert.include(yield* Effect.provide(refusal(token), at(path)), "cannot be had", path)
      }
    }).pipe(Effect.scoped, Effect.provide([Network.layer, memoryGround]))
  )
})
