import { assert, describe, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as TestClock from "effect/testing/TestClock"
import { createServer, type Server } from "node:http"
import { Network } from "../../src/ground/Network.ts"
import { memoryGround } from "../storage/Workbench.ts"
import { bench, ec, makePair, refusal, rsa, service, sign, verified } from "./ForeignBench.ts"

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
