import { assert, it } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Queue from "effect/Queue"
import * as Redacted from "effect/Redacted"
import * as SubscriptionRef from "effect/SubscriptionRef"
import { TestClock } from "effect/testing"
import { X509Certificate } from "node:crypto"
import { dirname } from "node:path"
import { Certificate } from "../../src/config/Certificate.ts"
import { Disk } from "../../src/ground/Disk.ts"
import { fingerprintOf, otherCertificate } from "../../src/ground/Fingerprint.ts"
import { Loopback, NoReply } from "../../src/ground/Loopback.ts"
import { type ServerCertificate, serverCertificate } from "../../src/ground/ServerCertificate.ts"
import { monotonicMillis } from "../../src/ground/Time.ts"
import { MediaMtxCertificate } from "../../src/process/MediaMtxCertificate.ts"
import { certificates, type Pair } from "../support/Certificate.ts"
import { secured } from "../support/CertificateFiles.ts"
import { testGround } from "../support/Ground.ts"
import { listening } from "../support/Log.ts"

const pairOf = ({ cert, key }: Pick<Pair, "cert" | "key">) => serverCertificate(cert, Redacted.make(key))

/** A MediaMTX that has read the file, and follows it as `internal/confwatcher` does. */
const mediaMtx = Effect.gen(function* () {
  const disk = yield* Disk
  let shown = ""
  let isDeaf = false
  let asked = 0
  const load = Effect.fnUntraced(function* (file: string) {
    shown = fingerprintOf(new X509Certificate(yield* disk.text(file)))
  })
  const run = Effect.fnUntraced(function* (file: string) {
    yield* load(file)
    const names = yield* disk.watch(dirname(file))
    let last = Number.NEGATIVE_INFINITY
    const see = Effect.gen(function* () {
      const name = yield* Queue.take(names)
      const now = yield* monotonicMillis
      if (isDeaf || now - last < 1000 || !file.endsWith(`/${name}`)) return
      if ((yield* Effect.option(load(file)))._tag === "Some") last = now
    })
    yield* Effect.forkScoped(Effect.forever(see, { disableYield: true }), { startImmediately: true })
  })
  const loopback = Layer.mock(Loopback, {
    web: ({ isKnown }) =>
      Effect.succeed(() =>
        Effect.suspend(() => {
          asked++
          assert.isFalse(isKnown?.(shown))
          return Effect.fail(new NoReply({ detail: "it shows another certificate", code: otherCertificate }))
        })
      )
  })
  return {
    run,
    loopback,
    shown: () => shown,
    asked: () => asked,
    deafen: (now: boolean) => {
      isDeaf = now
    }
  }
})

const bench = Effect.gen(function* () {
  const { make } = yield* certificates
  const [one, two, three] = [yield* pairOf(make()), yield* pairOf(make()), yield* pairOf(make())]
  const shown = yield* SubscriptionRef.make(one)
  const played = yield* mediaMtx
  const certificate = Layer.provide(MediaMtxCertificate.layer, [played.loopback, Layer.succeed(Certificate, { shown })])
  const { hand, isHanded } = Context.get(yield* Layer.build(certificate), MediaMtxCertificate)
  const handed = yield* hand
  const file = handed.file ?? ""
  yield* played.run(file)
  const left = (yield* Disk).names(dirname(file))
  const show = (next: ServerCertificate) => SubscriptionRef.set(shown, next)
  return { one, two, three, show, played, isHanded, left, hand, follow: handed.follow }
})

it.effect("MediaMTX is given each new pair, again where it did not look, and no key is left where it reads", () => {
  const { layer, lines } = listening()
  return Effect.gen(function* () {
    const { follow, isHanded, left, one, played, show, three, two } = yield* bench
    assert.strictEqual(played.shown(), one.fingerprint)
    yield* Effect.forkScoped(follow)
    yield* TestClock.adjust("10 seconds")
    assert.deepStrictEqual(yield* left, [])
    assert.strictEqual(played.asked(), 0)

    played.deafen(true)
    yield* show(two)
    yield* TestClock.adjust("1 second")
    assert.strictEqual(played.shown(), one.fingerprint)
    assert.isTrue(isHanded(one.fingerprint) && isHanded(two.fingerprint))
    played.deafen(false)
    yield* TestClock.adjust("1 second")
    assert.strictEqual(played.shown(), two.fingerprint)
    yield* TestClock.adjust("3 seconds")
    assert.isFalse(isHanded(one.fingerprint))
    assert.deepStrictEqual(yield* left, [])

    // one right after another, which it passes over
    yield* show(one)
    yield* TestClock.adjust("100 millis")
    yield* show(three)
    yield* TestClock.adjust("100 millis")
    assert.strictEqual(played.shown(), one.fingerprint)
    yield* TestClock.adjust("5 seconds")
    assert.strictEqual(played.shown(), three.fingerprint)
    assert.isFalse(isHanded(one.fingerprint))
    assert.deepStrictEqual(yield* left, [])
    assert.lengthOf(lines, 0)

    // one that it never takes, and then one that it does
    played.deafen(true)
    yield* show(two)
    yield* TestClock.adjust("5 minutes")
    assert.deepStrictEqual(
      lines.map(({ message }) => message),
      ["MediaMTX does not show the new certificate; it is given it again and again"]
    )
    played.deafen(false)
    yield* show(one)
    yield* TestClock.adjust("1 second")
    assert.strictEqual(played.shown(), one.fingerprint)
    yield* TestClock.adjust("5 seconds")
    assert.deepStrictEqual(
      lines.slice(1).map(({ message }) => message),
      ["MediaMTX shows the new certificate now"]
    )
  }).pipe(Effect.provide([secured, layer]), Effect.provide(testGround), Effect.scoped)
})

it.effect("a MediaMTX that starts has the pair of now, once and alone, in a file for us, which is gone with it", () =>
  Effect.gen(function* () {
    const disk = yield* Disk
    const { make } = yield* certificates
    const { hand, played, show } = yield* bench
    // some programs want both in one file
    const { cert, key } = make()
    const next = yield* pairOf({ cert: `# box\n${cert}${key}`, key: `${cert}${key}` })
    yield* show(next)
    const file = yield* Effect.scoped(
      Effect.gen(function* () {
        const handed = (yield* hand).file ?? ""
        yield* played.run(handed)
        assert.strictEqual(played.shown(), next.fingerprint)
        assert.strictEqual(yield* disk.text(handed), `${cert}${key}`)
        assert.strictEqual((yield* disk.rights(handed)).mode, 0o600)
        return handed
      })
    )
    assert.strictEqual((yield* Effect.flip(disk.text(file))).code, "ENOENT")
  }).pipe(Effect.provide(secured), Effect.provide(testGround), Effect.scoped)
)
