import { assert, describe, it } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as TestClock from "effect/testing/TestClock"
import { statSync } from "node:fs"
import { join } from "node:path"
import { ApiKeys } from "../../src/auth/ApiKeys.ts"
import type { KeyGrant } from "../../src/auth/KeyLife.ts"
import { untilOver } from "../../src/auth/Credentials.ts"
import { Tokens } from "../../src/auth/Tokens.ts"
import { Disk } from "../../src/ground/Disk.ts"
import { Settings } from "../../src/config/Settings.ts"
import { DataFolder } from "../../src/storage/DataFolder.ts"
import { SmallFiles } from "../../src/storage/SmallFiles.ts"
import { MemoryDisk } from "../../testing/MemoryDisk.ts"
import { asTimePasses } from "../../testing/PassingTime.ts"
import { memoryGround, realGround, temporaryFolder } from "../storage/Workbench.ts"
import { testSettings } from "../support/TestSettings.ts"

const file = "/data/secrets/api_keys.json"
const days = (number: number): number => Duration.toMillis(Duration.days(number))
const grant: KeyGrant = { kind: "api", role: "operator", createdBy: "ann", expiresAt: days(10) }

/** One run of the service on the disk that is there. */
const inRun = <A, E, R>(body: Effect.Effect<A, E, R | ApiKeys | Tokens>, folder = "/data", jwt_secret = "") =>
  Effect.provide(
    body,
    ApiKeys.layer.pipe(
      Layer.provideMerge(Tokens.layer),
      Layer.provide([DataFolder.layerShared, SmallFiles.layer]),
      Layer.provide(Layer.succeed(Settings, testSettings({ data_dir: folder, auth: { jwt_secret } })))
    )
  )
const bench = <A, E, R>(body: Effect.Effect<A, E, R>) => Effect.provide(body, memoryGround)

const create = (changed: Partial<KeyGrant> = {}) =>
  Effect.gen(function* () {
    const keys = yield* ApiKeys
    const { key, secret } = yield* keys.create({ ...grant, ...changed })
    return { id: key.id, text: Redacted.value(secret) }
  })
const partsOf = (text: string) => ({ id: text.slice(4, 16), secret: text.slice(17) })
const refusal = (text: string) =>
  Effect.flatMap(ApiKeys, (keys) => Effect.map(Effect.flip(keys.verify(text)), ({ reason }) => reason))
const stored = Effect.map(
  Effect.flatMap(Disk, (disk) => disk.text(file)),
  (text) => JSON.parse(text) as { readonly keys: ReadonlyArray<Readonly<Record<string, unknown>>> }
)

describe("an API key", () => {
  it.effect("speaks for its role and cameras until it expires, also after a restart", () =>
    bench(
      Effect.gen(function* () {
        const { id, text } = yield* inRun(create({ cameras: ["camera0", "camera1*"] }))
        yield* inRun(
          Effect.gen(function* () {
            const keys = yield* ApiKeys
            const session = yield* keys.verify(text)
            assert.deepInclude(session, { role: "operator", cameras: ["camera0", "camera1*"], expiresAt: days(10) })
            assert.strictEqual(session.userId, `key ${id}`)
            yield* TestClock.adjust("10 days")
            assert.strictEqual(yield* refusal(text), "the key has expired")
          })
        )
      })
    )
  )

  it.effect("has 32 random bytes, which are kept as a hash only, and fits where players cut passwords", () =>
    bench(
      inRun(
        Effect.gen(function* () {
          const all = yield* Effect.forEach(Array.from({ length: 50 }), () => create())
          const secrets = new Set(all.map(({ text }) => partsOf(text).secret))
          assert.strictEqual(secrets.size, 50)
          const text = JSON.stringify(yield* stored)
          for (const secret of secrets) {
            assert.lengthOf(Buffer.from(secret, "base64url"), 32)
            assert.notInclude(text, secret)
          }
          for (const { text } of all) assert.isAtMost(text.length, 100)
        })
      )
    )
  )

  it.effect("is refused when anything in it differs, with nothing that tells which keys there are", () =>
    bench(
      inRun(
        Effect.gen(function* () {
          const { text } = yield* create()
          const { id, secret } = partsOf(text)
          const other = secret.startsWith("A") ? "B" : "A"
          for (const forged of [
            "csk_",
            `csk_${id}_`,
            `csk_${id}`,
            `csk_000000000000_${secret}`,
            `csk_${id}_${other}${secret.slice(1)}`,
            `csk_${id}_${secret.slice(0, -1)}`,
            `${text} `,
            `${text}x`,
            `csk_${id.toUpperCase()}_${secret}`
          ]) {
            if (forged === text) continue
            assert.strictEqual(yield* refusal(forged), "the key is not valid", forged)
          }
        })
      )
    )
  )

  it.effect("that is revoked ends at once what it opened, and stays revoked", () =>
    bench(
      Effect.gen(function* () {
        const { text } = yield* inRun(
          Effect.gen(function* () {
            const keys = yield* ApiKeys
            const made = yield* create()
            const over = yield* Effect.forkChild(untilOver(yield* keys.verify(made.text)), { startImmediately: true })
            assert.isUndefined(over.pollUnsafe())
            yield* keys.revoke(made.id)
            assert.strictEqual(yield* Fiber.join(over), "the key was revoked")
            assert.strictEqual(yield* refusal(made.text), "the key was revoked")
            return made
          })
        )
        assert.strictEqual(yield* inRun(refusal(text)), "the key was revoked")
      })
    )
  )

  it.effect("takes the viewing keys that were made with it along", () =>
    bench(
      inRun(
        Effect.gen(function* () {
          const keys = yield* ApiKeys
          const parent = yield* create()
          const child = yield* create({ kind: "viewing", role: "viewer", cameras: ["camera0"], parent: parent.id })
          const other = yield* create({ kind: "viewing", role: "viewer", cameras: ["camera0"] })
          yield* keys.revoke(parent.id)
          assert.strictEqual(yield* refusal(child.text), "the key was revoked")
          yield* keys.verify(other.text)
          // one that was asked for just before
          const late = keys.create({ ...grant, kind: "viewing", parent: parent.id })
          assert.deepInclude(yield* Effect.flip(late), { _tag: "AuthFailed" })
        })
      )
    )
  )

  it.effect("is not what a token was that another secret has signed: its viewing keys are over", () =>
    bench(
      Effect.gen(function* () {
        const make = Effect.gen(function* () {
          const { terms } = yield* Tokens
          const made = (more: object) => create({ kind: "viewing", role: "viewer", ...more })
          return { byToken: yield* made({ terms: terms("service").id }), other: yield* made({}) }
        })
        const { byToken, other } = yield* inRun(make)
        const { verify, refuse } = {
          verify: (text: string) => inRun(Effect.flatMap(ApiKeys, (keys) => keys.verify(text))),
          refuse: inRun(refusal(byToken.text), "/data", "another secret of a test, of 32 bytes or more")
        }
        yield* verify(byToken.text)
        assert.strictEqual(yield* refuse, "the key was revoked")
        yield* verify(other.text)
      })
    )
  )

  it.effect("is rotated into one with the same rights and as long a life, and is over itself", () =>
    bench(
      inRun(
        Effect.gen(function* () {
          const keys = yield* ApiKeys
          const old = yield* create({ cameras: ["camera0"], description: "the wall" })
          yield* TestClock.adjust("4 days")
          const { key, secret } = yield* keys.rotate(old.id, "bob")
          assert.deepInclude(key, {
            role: "operator",
            cameras: ["camera0"],
            description: "the wall",
            createdBy: "bob",
            expiresAt: days(14)
          })
          assert.strictEqual(yield* refusal(old.text), "the key was revoked")
          yield* keys.verify(Redacted.value(secret))
          assert.deepInclude(yield* Effect.flip(keys.rotate(old.id, "bob")), { state: "REVOKED" })
          const viewing = yield* create({ kind: "viewing", role: "viewer", cameras: ["camera0"] })
          assert.deepInclude(yield* Effect.flip(keys.rotate(viewing.id, "bob")), { state: "VIEWING_KEY" })
          assert.deepInclude(yield* Effect.flip(keys.rotate("000000000000", "bob")), { _tag: "NotFound" })
        })
      )
    )
  )

  it.effect("that the disk does not take is not made; one that is revoked on such a disk is over all the same", () =>
    bench(
      inRun(
        Effect.gen(function* () {
          const keys = yield* ApiKeys
          const { id, text } = yield* create()
          const full = yield* (yield* MemoryDisk).suffer({ name: "full" })
          assert.deepInclude(yield* Effect.flip(keys.create(grant)), { dependency: "storage" })
          assert.deepInclude(yield* Effect.flip(keys.rotate(id, "ann")), { dependency: "storage" })
          assert.lengthOf(keys.list(), 1)
          yield* keys.verify(text)
          assert.include((yield* Effect.flip(keys.revoke(id))).suggestion, "refused already")
          assert.strictEqual(yield* refusal(text), "the key was revoked")
          yield* full.takeBack
          yield* keys.revoke(id)
          assert.isNumber((yield* stored).keys[0]?.["revokedAt"])
        })
      )
    )
  )

  it.effect(
    "that is revoked while the disk hangs with another one is over at once, with what was made with it meanwhile",
    () =>
      bench(
        inRun(
          Effect.gen(function* () {
            const keys = yield* ApiKeys
            const parent = yield* create()
            const hung = yield* (yield* MemoryDisk).suffer({ name: "hung", calls: ["sync"] })
            const making = yield* Effect.forkScoped(keys.create({ ...grant, kind: "viewing", parent: parent.id }))
            yield* Effect.yieldNow
            const revoking = yield* Effect.forkScoped(keys.revoke(parent.id))
            yield* Effect.yieldNow
            assert.strictEqual(yield* refusal(parent.text), "the key was revoked")
            yield* hung.takeBack
            const { secret } = yield* Fiber.join(making)
            yield* Fiber.join(revoking)
            assert.strictEqual(yield* refusal(Redacted.value(secret)), "the key was revoked")
            const kept = (yield* stored).keys
            assert.isTrue(kept.every(({ revokedAt }) => typeof revokedAt === "number"))
          })
        ).pipe(Effect.scoped)
      )
  )

  it.effect("tells when it was last used: written after minutes, or at the end, and not at each use", () =>
    bench(
      Effect.gen(function* () {
        const { text } = yield* inRun(
          Effect.gen(function* () {
            const keys = yield* ApiKeys
            const made = yield* create()
            const calls = yield* (yield* MemoryDisk).calls
            yield* TestClock.adjust("2 minutes")
            for (let i = 0; i < 100; i++) yield* keys.verify(made.text)
            assert.strictEqual(keys.list()[0]?.lastUsed, 120_000)
            assert.deepStrictEqual(calls, [])
            yield* TestClock.adjust("5 minutes")
            assert.strictEqual((yield* stored).keys[0]?.["lastUsed"], 120_000)
            assert.lengthOf(
              calls.filter((call) => call.startsWith("rename")),
              1
            )
            yield* keys.verify(made.text)
            return made
          })
        )
        assert.strictEqual((yield* stored).keys[0]?.["lastUsed"], 420_000)
        yield* inRun(Effect.flatMap(ApiKeys, (keys) => keys.verify(text)))
      })
    )
  )

  it.effect("that is over leaves the list after 30 days, a viewing key with the next one that is made", () =>
    bench(
      inRun(
        Effect.gen(function* () {
          const keys = yield* ApiKeys
          const api = yield* create()
          yield* create({ kind: "viewing", role: "viewer", cameras: ["camera0"], expiresAt: days(1) })
          yield* keys.revoke(api.id)
          yield* TestClock.adjust("29 days")
          const next = yield* create({ expiresAt: days(60) })
          assert.deepStrictEqual(
            keys.list().map(({ id }) => id),
            [next.id, api.id]
          )
          yield* TestClock.adjust("2 days")
          const last = yield* create({ expiresAt: days(60) })
          assert.deepStrictEqual(
            keys.list().map(({ id }) => id),
            [last.id, next.id]
          )
        })
      )
    )
  )

  it.effect("is one of 1000 at most", () =>
    bench(
      Effect.gen(function* () {
        const disk = yield* Disk
        yield* disk.makeFolder("/data/secrets", 0o700)
        const keys = Array.from({ length: 1000 }, (_, i) => ({
          ...{ id: i.toString(16).padStart(12, "0"), hash: "", kind: "api", role: "viewer", createdBy: "ann" },
          ...{ createdAt: 0, expiresAt: days(10) }
        }))
        const written = yield* disk.create(file, 0o600)
        yield* written.append(new TextEncoder().encode(JSON.stringify({ keys })))
        yield* inRun(
          Effect.gen(function* () {
            const { create, list, revoke } = yield* ApiKeys
            assert.lengthOf(list(), 1000)
            assert.deepInclude(yield* Effect.flip(create(grant)), { _tag: "InvalidState" })
            yield* revoke("000000000000")
            yield* create(grant)
          })
        )
      }).pipe(Effect.scoped)
    )
  )

  it.effect("is written with all that were asked for while the one before was written", () =>
    bench(
      inRun(
        Effect.gen(function* () {
          const keys = yield* ApiKeys
          const calls = yield* (yield* MemoryDisk).calls
          const grants = Array.from({ length: 50 }, (_, n) => ({ ...grant, createdBy: `user ${n}` }))
          const slowly = (yield* MemoryDisk).suffer({ name: "slow", by: "1 second", calls: ["sync"] })
          const creating = Effect.forEach(grants, keys.create, { concurrency: "unbounded" })
          const made = yield* Effect.scoped(Effect.andThen(slowly, asTimePasses(creating)))
          assert.lengthOf(new Set(made.map(({ key }) => key.id)), 50)
          for (const { secret } of made) yield* keys.verify(Redacted.value(secret))
          const writes = calls.filter((call) => call.startsWith("rename"))
          assert.isAtMost(writes.length, 2)
          assert.lengthOf((yield* stored).keys, 50)
        })
      ).pipe(Effect.scoped)
    )
  )

  it.effect("is kept where nobody else may read it", () =>
    Effect.gen(function* () {
      const folder = yield* temporaryFolder
      yield* inRun(create(), folder)
      assert.strictEqual(statSync(join(folder, "secrets/api_keys.json")).mode & 0o777, 0o600)
    }).pipe(Effect.provide(realGround))
  )

  it.effect("is not lost unnoticed: a file that cannot be understood ends the start, and stays", () =>
    bench(
      Effect.gen(function* () {
        const { outside } = yield* MemoryDisk
        yield* inRun(create())
        const broken = new TextEncoder().encode("{")
        outside.remove(file)
        outside.write(file, broken)
        const failure = yield* Effect.flip(inRun(create()))
        assert.deepInclude(failure, { _tag: "DataFolderUnusable" })
        assert.deepStrictEqual(outside.read(file), broken)
      })
    )
  )
})
