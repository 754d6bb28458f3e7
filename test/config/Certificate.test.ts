import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as Stream from "effect/Stream"
import * as SubscriptionRef from "effect/SubscriptionRef"
import { TestClock } from "effect/testing"
import { Certificate } from "../../src/config/Certificate.ts"
import { readCertificate } from "../../src/config/ReadCertificate.ts"
import { MemoryDisk } from "../../testing/MemoryDisk.ts"
import { certificates } from "../support/Certificate.ts"
import { put, putFirst, secured } from "../support/CertificateFiles.ts"
import { testGround } from "../support/Ground.ts"
import { listening } from "../support/Log.ts"

it.effect("a certificate that takes another's place is shown once its key is there too, and a bad one is not", () => {
  const { layer, lines } = listening()
  return Effect.gen(function* () {
    const { outside } = yield* MemoryDisk
    const { make } = yield* certificates
    const [one, two, three] = [make(), make(), make()]
    yield* putFirst(one)
    const shown: Array<readonly [string, string]> = []
    yield* Effect.gen(function* () {
      const certificate = yield* Certificate
      if (certificate.shown === undefined) return assert.fail("nothing is encrypted")
      yield* SubscriptionRef.changes(certificate.shown).pipe(
        Stream.runForEach(({ chain, key }) => Effect.sync(() => void shown.push([chain, Redacted.value(key)]))),
        Effect.forkScoped({ startImmediately: true })
      )
      yield* TestClock.adjust("5 seconds")
      assert.deepStrictEqual(shown.splice(0), [[one.cert, one.key]])

      yield* put("cert", { ...one, cert: `${one.cert}-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n` })
      yield* TestClock.adjust("5 seconds")
      yield* put("cert", two)
      yield* TestClock.adjust("5 seconds")
      assert.lengthOf(shown, 0)
      yield* put("key", two)
      yield* TestClock.adjust("1 second")
      assert.deepStrictEqual(shown.splice(0), [[two.cert, two.key]])

      // within a second of one another nobody sees the one without the other
      yield* put("cert", three)
      yield* put("key", three)
      yield* TestClock.adjust("1 second")
      assert.lengthOf(shown, 1)
      outside.remove("/etc/tls/key.pem")
      yield* TestClock.adjust("5 minutes")
      assert.lengthOf(shown, 1)
      assert.deepStrictEqual(
        lines.map(({ message }) => /^another|cannot be shown|not that of|cannot be read/u.exec(message)?.[0]),
        ["cannot be shown", "not that of", "another", "another", "cannot be read"]
      )
    }).pipe(Effect.provide(Certificate.layer))
  }).pipe(Effect.provide([secured, layer]), Effect.provide(testGround), Effect.scoped)
})

it.effect("a start without a certificate that can be used says which file it is, and why", () =>
  Effect.gen(function* () {
    const { message } = yield* Effect.flip(readCertificate)
    assert.strictEqual(
      message,
      "the certificate /etc/tls/cert.pem cannot be used: it cannot be read (ENOENT): see tls.certificate_file and tls.key_file"
    )
  }).pipe(Effect.provide(secured), Effect.provide(testGround))
)
