import { assert, describe, it } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as TestClock from "effect/testing/TestClock"
import { SignJWT } from "jose/jwt/sign"
import { createHmac, generateKeyPairSync } from "node:crypto"
import { readFileSync, statSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import type { Scope } from "effect/Scope"
import { type Grant, Tokens } from "../../src/auth/Tokens.ts"
import { Settings } from "../../src/config/Settings.ts"
import { DataFolder } from "../../src/storage/DataFolder.ts"
import { SmallFiles } from "../../src/storage/SmallFiles.ts"
import { realGround, temporaryFolder } from "../storage/Workbench.ts"
import { testSettings } from "../support/TestSettings.ts"

const secret = "a configured secret of more than 32 characters"
const key = new TextEncoder().encode(secret)
const grant: Grant = { userId: "ann", role: "operator", timeToLive: Duration.hours(1) }
const claims = { user_id: "ann", role: "operator" }

const inFolder = <A, E>(folder: string, body: Effect.Effect<A, E, Tokens>, configured = secret, auth: object = {}) =>
  Effect.provide(
    body,
    Tokens.layer.pipe(
      Layer.provide([DataFolder.layerShared, SmallFiles.layer]),
      Layer.provide(realGround),
      Layer.provide(
        Layer.succeed(Settings, testSettings({ data_dir: folder, auth: { jwt_secret: configured, ...auth } }))
      )
    )
  )
const bench = <A, E>(body: Effect.Effect<A, E, Tokens>): Effect.Effect<A, unknown, Scope> =>
  Effect.flatMap(temporaryFolder, (folder) => inFolder(folder, body))

const signed = (grant: Grant) => Effect.flatMap(Tokens, (tokens) => Effect.map(tokens.sign(grant), Redacted.value))
const verified = (token: string) => Effect.flatMap(Tokens, (tokens) => tokens.verify(token))
const refusal = (token: string) => Effect.map(Effect.flip(verified(token)), ({ reason }) => reason)

const base64 = (value: unknown) => Buffer.from(JSON.stringify(value)).toString("base64url")
/** A token as anybody can write it: this header, these claims, and an HMAC with this key. */
const forged = (header: object, payload: object, hmacKey: string | Uint8Array, hash = "sha256") => {
  const body = `${base64(header)}.${base64(payload)}`
  return `${body}.${createHmac(hash, hmacKey).update(body).digest("base64url")}`
}
const lasting = { ...claims, iat: 0, exp: 3600 }

describe("a token", () => {
  it.effect("speaks for its user until it expires", () =>
    bench(
      Effect.gen(function* () {
        const token = yield* signed(grant)
        const session = yield* verified(token)
        assert.deepInclude(session, { userId: "ann", role: "operator", expiresAt: 3_600_000 })
        assert.notProperty(session, "cameras")
        yield* TestClock.adjust("3599 seconds")
        yield* verified(token)
        yield* TestClock.adjust("1 seconds")
        assert.strictEqual(yield* refusal(token), "the token has expired")
      })
    )
  )

  it.effect("opens a session of its own each time", () =>
    bench(
      Effect.gen(function* () {
        const token = yield* signed(grant)
        assert.notStrictEqual((yield* verified(token)).sessionId, (yield* verified(token)).sessionId)
      })
    )
  )

  it.effect("keeps the cameras that its user may see, also when these are none", () =>
    bench(
      Effect.gen(function* () {
        const two = yield* signed({ ...grant, cameras: ["camera0", "camera3"] })
        assert.deepEqual((yield* verified(two)).cameras, ["camera0", "camera3"])
        const none = yield* signed({ ...grant, cameras: [] })
        assert.deepEqual((yield* verified(none)).cameras, [])
      })
    )
  )

  it.effect("is refused when it is none, was changed, or is signed with another secret", () =>
    bench(
      Effect.gen(function* () {
        const token = yield* signed(grant)
        const [header, , signature] = token.split(".")
        for (const text of ["", "a", "a.b.c", `${token}x`, token.slice(0, -4), `Bearer ${token}`]) {
          assert.isString(yield* refusal(text), text)
        }
        const promoted = `${header}.${base64({ ...lasting, role: "admin" })}.${signature}`
        assert.strictEqual(yield* refusal(promoted), "the token's signature is wrong")
        const foreign = forged({ alg: "HS256" }, lasting, "another secret of more than 32 characters")
        assert.strictEqual(yield* refusal(foreign), "the token's signature is wrong")
      })
    )
  )

  it.effect("is refused when its algorithm is none or any other than HS256, whatever it was signed with", () =>
    bench(
      Effect.gen(function* () {
        const unsigned = `${base64({ alg: "none" })}.${base64(lasting)}.`
        for (const text of [
          unsigned,
          unsigned.slice(0, -1),
          forged({ alg: "None" }, lasting, key),
          forged({ alg: "HS512" }, lasting, key, "sha512"),
          forged({ alg: "RS256" }, lasting, key),
          forged({ typ: "JWT" }, lasting, key)
        ]) {
          assert.isString(yield* refusal(text), text)
        }
        const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 })
        const rsa = yield* Effect.promise(() =>
          new SignJWT(lasting).setProtectedHeader({ alg: "RS256" }).sign(privateKey)
        )
        assert.strictEqual(yield* refusal(rsa), "the token's algorithm is not allowed")
        assert.deepInclude(yield* verified(forged({ alg: "HS256" }, lasting, key)), { userId: "ann" })
      })
    )
  )

  it.effect("is refused when it says that it is for something else (typ)", () =>
    bench(
      Effect.gen(function* () {
        for (const typ of [undefined, "JWT", "at+jwt"]) {
          yield* verified(forged({ alg: "HS256", typ }, lasting, key))
        }
        for (const typ of ["secevent+jwt", 1, null]) {
          assert.include(yield* refusal(forged({ alg: "HS256", typ }, lasting, key)), "is for something else")
        }
      })
    )
  )

  it.effect("is refused when a claim is missing or makes no sense", () =>
    bench(
      Effect.gen(function* () {
        const wrong = [
          { ...lasting, user_id: undefined },
          { ...lasting, user_id: "" },
          { ...lasting, role: undefined },
          { ...lasting, role: "root" },
          { ...lasting, iat: undefined },
          { ...lasting, exp: undefined },
          { ...lasting, exp: "tomorrow" },
          // "numeric dates": seconds that a date can be made of (RFC 7519, 2; ECMA-262, 21.4.1.1)
          { ...lasting, exp: 1e308 },
          { ...lasting, exp: 8.64e12 + 1 },
          { ...lasting, exp: Number.MAX_SAFE_INTEGER },
          { ...lasting, exp: -1 },
          { ...lasting, exp: null },
          { ...lasting, exp: [3600] },
          { ...lasting, iat: 1e308 },
          { ...lasting, iat: -1e308 },
          { ...lasting, iat: -1 },
          { ...lasting, iat: "0" },
          { ...lasting, cameras: "camera0" },
          { ...lasting, cameras: ["/dev/video0"] },
          { ...lasting, nbf: 1000 }
        ]
        for (const payload of wrong) {
          assert.isString(yield* refusal(forged({ alg: "HS256" }, payload, key)), JSON.stringify(payload))
        }
      })
    )
  )

  it.effect("must be of the issuer and for the audience that are configured, as those are that the service signs", () =>
    Effect.flatMap(temporaryFolder, (folder) =>
      inFolder(
        folder,
        Effect.gen(function* () {
          yield* verified(yield* signed(grant))
          const right = { ...lasting, iss: "https://id", aud: "cameras" }
          const shown = (payload: object) => forged({ alg: "HS256" }, payload, key)
          yield* verified(shown({ ...right, aud: ["others", "cameras"] }))
          for (const iss of ["https://other", undefined]) {
            assert.strictEqual(yield* refusal(shown({ ...right, iss })), "the token is of another issuer")
          }
          for (const aud of ["others", undefined]) {
            assert.strictEqual(yield* refusal(shown({ ...right, aud })), "the token is for another audience")
          }
        }),
        secret,
        { issuer: "https://id", audience: "cameras" }
      )
    )
  )

  it.effect("may come from a clock that is 30 s ahead of ours, and ends when it says", () =>
    bench(
      Effect.gen(function* () {
        const from = (ahead: number) => forged({ alg: "HS256" }, { ...lasting, iat: ahead, nbf: ahead, exp: 60 }, key)
        assert.strictEqual((yield* verified(from(30))).expiresAt, 60_000)
        assert.strictEqual(yield* refusal(from(31)), "the token is not valid yet")
        yield* TestClock.adjust("60 seconds")
        assert.strictEqual(yield* refusal(from(30)), "the token has expired")
      })
    )
  )

  it.effect("may last until the last moment that a date tells, and a fraction of a second", () =>
    bench(
      Effect.gen(function* () {
        const until = (exp: number) => verified(forged({ alg: "HS256" }, { ...lasting, exp }, key))
        assert.deepInclude(yield* until(8.64e12), { expiresAt: 8.64e15 })
        assert.deepInclude(yield* until(3600.5), { expiresAt: 3_600_500 })
      })
    )
  )

  it.effect("that is refused shows nothing of itself in the reason", () =>
    bench(
      Effect.gen(function* () {
        const token = forged({ alg: "HS256" }, { ...lasting, user_id: "very-secret-name" }, "x".repeat(32))
        assert.notInclude(JSON.stringify(yield* Effect.flip(verified(token))), token.slice(-20))
      })
    )
  )
})

describe("the secret", () => {
  it.effect("is made at the first start, kept for the next, and readable by nobody else", () =>
    Effect.gen(function* () {
      const folder = yield* temporaryFolder
      const token = yield* inFolder(folder, signed(grant), "")
      const file = join(folder, "secrets", "jwt_secret")
      assert.strictEqual(statSync(file).mode & 0o777, 0o600)
      assert.isAtLeast(Buffer.from(readFileSync(file, "utf8"), "base64url").length, 32)
      assert.deepInclude(yield* inFolder(folder, verified(token), ""), { userId: "ann" })
    })
  )

  it.effect("that is too short to be one ends the start instead of signing anything", () =>
    Effect.gen(function* () {
      const folder = yield* temporaryFolder
      yield* inFolder(folder, signed(grant), "")
      writeFileSync(join(folder, "secrets", "jwt_secret"), "short")
      const failure = yield* Effect.flip(inFolder(folder, signed(grant), ""))
      assert.strictEqual(failure._tag, "DataFolderUnusable")
    })
  )
})
