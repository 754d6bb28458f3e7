import { assert, describe, it } from "@effect/vitest"
import { layerWebCrypto } from "effect/crypto/SecureRandom"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Scope from "effect/Scope"
import { Tickets } from "../../src/auth/Tickets.ts"

const bench = <A, E>(body: Effect.Effect<A, E, Tickets | Scope.Scope>) =>
  Effect.provide(body, Tickets.layer.pipe(Layer.provide(layerWebCrypto)))

const redeem = ({ find }: Tickets["Service"], camera: string, purpose: string, password: string): boolean =>
  find(camera, purpose, password)?.redeem() === true

describe("a publisher's ticket", () => {
  it.effect("opens its own path for its own purpose, once", () =>
    bench(
      Effect.gen(function* () {
        const tickets = yield* Tickets
        const { password } = yield* tickets.issue("camera0", "publish")
        assert.isFalse(redeem(tickets, "camera1", "publish", password))
        assert.isFalse(redeem(tickets, "camera0", "read", password))
        assert.isTrue(redeem(tickets, "camera0", "publish", password))
        assert.isFalse(redeem(tickets, "camera0", "publish", password))
      })
    )
  )

  it.effect("tells its holder when it was shown", () =>
    bench(
      Effect.gen(function* () {
        const tickets = yield* Tickets
        const { password, redeemed } = yield* tickets.issue("camera0", "publish")
        const waiting = yield* Effect.forkChild(redeemed, { startImmediately: true })
        assert.isUndefined(waiting.pollUnsafe())
        redeem(tickets, "camera0", "publish", password)
        yield* redeemed
      })
    )
  )

  it.effect("is void when what it was for is over", () =>
    bench(
      Effect.gen(function* () {
        const tickets = yield* Tickets
        const scope = yield* Scope.make()
        const { password } = yield* tickets.issue("camera0", "publish").pipe(Scope.provide(scope))
        yield* Scope.close(scope, Exit.void)
        assert.isFalse(redeem(tickets, "camera0", "publish", password))
      })
    )
  )

  it.effect("does not spoil another one of the same path", () =>
    bench(
      Effect.gen(function* () {
        const tickets = yield* Tickets
        const scope = yield* Scope.make()
        yield* tickets.issue("camera0", "publish").pipe(Scope.provide(scope))
        const second = yield* tickets.issue("camera0", "publish")
        yield* Scope.close(scope, Exit.void)
        assert.isTrue(redeem(tickets, "camera0", "publish", second.password))
      })
    )
  )

  it.effect("is refused when anything in it differs, and stays good", () =>
    bench(
      Effect.gen(function* () {
        const tickets = yield* Tickets
        const { password } = yield* tickets.issue("camera0", "publish")
        const [id = "", secret = ""] = password.split(".")
        const other = secret.startsWith("A") ? "B" : "A"
        const forged = [
          "",
          ".",
          id,
          `${id}.`,
          `.${secret}`,
          `${id}.${secret}A`,
          `${id}.${secret}.more`,
          `${id}.${secret}!`,
          `${id}.${secret.slice(0, -1)}`,
          `${id}.${other}${secret.slice(1)}`,
          `x${id}.${secret}`,
          `../camera0/${id}.${secret}`
        ]
        for (const text of forged) assert.isFalse(redeem(tickets, "camera0", "publish", text), text)
        assert.isTrue(redeem(tickets, "camera0", "publish", password))
      })
    )
  )

  it.effect("is nobody's to show until it is said whose; one to read with is shown as often as it is asked for", () =>
    bench(
      Effect.gen(function* () {
        const tickets = yield* Tickets
        const { giveTo, password } = yield* tickets.issue("camera0", "publish")
        const shown = tickets.find("camera0", "publish", password)
        assert.strictEqual(shown?.holder(), "nobody")
        giveTo(4711)
        assert.strictEqual(shown?.holder(), 4711)
        const read = yield* tickets.issue("camera0", "read")
        const readers = tickets.find("camera0", "read", read.password)
        assert.strictEqual(readers?.holder(), "nobody")
        assert.isFalse(readers?.wasRedeemed())
        for (let i = 0; i < 2; i++) assert.isTrue(redeem(tickets, "camera0", "read", read.password))
        assert.isTrue(readers?.wasRedeemed())
      })
    )
  )

  it.effect("cannot be guessed: its secret has 24 random bytes", () =>
    bench(
      Effect.gen(function* () {
        const tickets = yield* Tickets
        const all = yield* Effect.forEach(Array.from({ length: 100 }), () => tickets.issue("camera0", "publish"))
        const secrets = new Set(all.map(({ password }) => password.split(".")[1] ?? ""))
        assert.strictEqual(secrets.size, 100)
        for (const secret of secrets) assert.strictEqual(Buffer.from(secret, "base64url").length, 24)
      })
    )
  )
})
