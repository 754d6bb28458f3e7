import { assert, describe, it } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as TestClock from "effect/testing/TestClock"
import { ApiKeys } from "../../src/auth/ApiKeys.ts"
import { whyOver } from "../../src/auth/Credentials.ts"
import { SignedUrls } from "../../src/auth/SignedUrls.ts"
import { Tokens } from "../../src/auth/Tokens.ts"
import { Settings } from "../../src/config/Settings.ts"
import { DataFolder } from "../../src/storage/DataFolder.ts"
import { SmallFiles } from "../../src/storage/SmallFiles.ts"
import { memoryGround } from "../storage/Workbench.ts"
import { testSettings } from "../support/TestSettings.ts"

const secret = "the secret of a test, 32 bytes at least"
const minutes = (number: number): number => number * 60_000

/** One run of the service on the disk that is there. */
const inRun = <A, E>(body: Effect.Effect<A, E, SignedUrls | Tokens | ApiKeys>, jwt_secret = secret) =>
  Effect.provide(
    body,
    SignedUrls.layer.pipe(
      Layer.provideMerge(ApiKeys.layer),
      Layer.provideMerge(Tokens.layer),
      Layer.provide([DataFolder.layerShared, SmallFiles.layer]),
      Layer.provide(Layer.succeed(Settings, testSettings({ data_dir: "/data", auth: { jwt_secret } })))
    )
  )
const bench = <A, E>(body: Effect.Effect<A, E, SignedUrls | Tokens | ApiKeys>) =>
  Effect.provide(inRun(body), memoryGround)

/** Who logged in with a token that is good for so many minutes. */
const byToken = Effect.fnUntraced(function* (good: number) {
  const { sign, verify } = yield* Tokens
  const grant = { userId: "ann", role: "admin", timeToLive: Duration.minutes(good) } as const
  return yield* verify(Redacted.value(yield* sign(grant)))
})
/** Who logged in with a key that is good for so many minutes. */
const byKey = Effect.fnUntraced(function* (good: number, cameras?: ReadonlyArray<string>) {
  const keys = yield* ApiKeys
  const grant = { kind: "api", role: "admin", createdBy: "ann", expiresAt: minutes(good) } as const
  const { secret: text } = yield* keys.create(cameras === undefined ? grant : { ...grant, cameras })
  return yield* keys.verify(Redacted.value(text))
})
const refusal = Effect.fnUntraced(function* (...shown: Parameters<SignedUrls["Service"]["verify"]>) {
  const { verify } = yield* SignedUrls
  return (yield* Effect.flip(verify(...shown))).reason
})

describe("a signature", () => {
  it.effect("opens what it was made for, as a viewer of that camera, and nothing else", () =>
    bench(
      Effect.gen(function* () {
        const { sign, verify } = yield* SignedUrls
        for (const session of [yield* byToken(60), yield* byKey(60)]) {
          const signature = sign("recording/a.mp4", "camera0", session, minutes(10))
          assert.deepInclude(yield* verify("recording/a.mp4", signature), { role: "viewer", cameras: ["camera0"] })
          for (const use of [
            "recording/b.mp4",
            "snapshot/a.mp4",
            "stream",
            "recording/a.mp4\n",
            "recording/"
          ] as const) {
            assert.strictEqual(yield* refusal(use, signature), "the signature is wrong", use)
          }
          // players cut passwords at 128 characters
          assert.isAtMost(sign("stream", "camera12", session, minutes(10)).length, 100)
        }
      })
    )
  )

  it.effect("that was changed anywhere opens nothing", () =>
    bench(
      Effect.gen(function* () {
        const { sign } = yield* SignedUrls
        const session = yield* byKey(60)
        const signature = sign("stream", "camera0", session, minutes(10))
        for (let at = 0; at < signature.length; at++) {
          for (const other of ["0", "9", "a", ".", "-", "A", ""]) {
            const changed = signature.slice(0, at) + other + signature.slice(at + 1)
            // the last character of the 22 stands for 6 bits, all of which count
            if (changed !== signature) {
              assert.strictEqual(yield* refusal("stream", changed), "the signature is wrong", changed)
            }
          }
        }
        for (const nonsense of ["", ".", "....", `${signature}.`, `${signature}\n`, "x".repeat(100_000)]) {
          assert.strictEqual(yield* refusal("stream", nonsense), "the signature is wrong")
        }
      })
    )
  )

  it.effect("of another secret opens nothing", () =>
    Effect.gen(function* () {
      const signature = yield* inRun(
        Effect.gen(function* () {
          const { sign } = yield* SignedUrls
          return sign("stream", "camera0", yield* byToken(60), minutes(10))
        })
      )
      const elsewhere = inRun(refusal("stream", signature), "another secret of 32 bytes or more!!")
      assert.strictEqual(yield* elsewhere, "the signature is wrong")
    }).pipe(Effect.provide(memoryGround))
  )

  it.effect("lasts until its time, and its session until the credential's", () =>
    bench(
      Effect.gen(function* () {
        const { sign, verify } = yield* SignedUrls
        for (const make of [byToken, byKey]) {
          yield* TestClock.setTime(0)
          const session = yield* make(60)
          const signature = sign("stream", "camera0", session, minutes(10))
          yield* TestClock.setTime(minutes(10) - 1)
          const opened = yield* verify("stream", signature)
          assert.strictEqual(opened.expiresAt, session.expiresAt)
          yield* TestClock.setTime(minutes(10))
          assert.strictEqual(yield* refusal("stream", signature), "the signed URL has expired")
          assert.isUndefined(whyOver(opened, minutes(60) - 1))
          assert.isDefined(whyOver(opened, minutes(60)))

          yield* TestClock.setTime(0)
          const short = sign("stream", "camera0", yield* make(5), minutes(10))
          yield* TestClock.setTime(minutes(5))
          assert.strictEqual(yield* refusal("stream", short), "the signed URL has expired")
        }
      })
    )
  )

  it.effect("ends with the key that made it, and with it what it opened, also after a restart", () =>
    Effect.gen(function* () {
      const signature = yield* inRun(
        Effect.gen(function* () {
          const { sign, verify } = yield* SignedUrls
          const { revoke } = yield* ApiKeys
          const session = yield* byKey(60)
          const other = sign("stream", "camera0", yield* byKey(60), minutes(10))
          const made = sign("stream", "camera0", session, minutes(10))
          const opened = yield* verify("stream", made)
          if (session.credential.kind === "key") yield* revoke(session.credential.id)
          assert.strictEqual(yield* refusal("stream", made), "the key was revoked")
          assert.strictEqual(whyOver(opened, 0), "the key was revoked")
          yield* verify("stream", other)
          return { made, other }
        })
      )
      yield* inRun(
        Effect.gen(function* () {
          const { verify } = yield* SignedUrls
          assert.strictEqual(yield* refusal("stream", signature.made), "the key was revoked")
          yield* verify("stream", signature.other)
        })
      )
    }).pipe(Effect.provide(memoryGround))
  )

  it.effect("of a camera that its key may not see opens nothing", () =>
    bench(
      Effect.gen(function* () {
        const { sign, verify } = yield* SignedUrls
        const session = yield* byKey(60, ["camera1*"])
        yield* verify("stream", sign("stream", "camera12", session, minutes(10)))
        assert.strictEqual(
          yield* refusal("stream", sign("stream", "camera0", session, minutes(10))),
          "the key may not see the camera"
        )
      })
    )
  )

  it.effect("gives nothing of the secret away that tokens are signed with", () =>
    bench(
      Effect.gen(function* () {
        const { keyFor } = yield* Tokens
        const one = Redacted.value(keyFor("one use"))
        assert.notStrictEqual(one, Redacted.value(keyFor("another use")))
        assert.match(one, /^[\w-]{43}$/)
        assert.notInclude(String(keyFor("one use")), one)
      })
    )
  )
})
