import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as SubscriptionRef from "effect/SubscriptionRef"
import { TestClock } from "effect/testing"
import { readCertificate } from "../../src/config/ReadCertificate.ts"
import { Settings } from "../../src/config/Settings.ts"
import { followCertificate } from "../../src/http/FollowCertificate.ts"
import { PublicHttp } from "../../src/http/PublicHttp.ts"
import type { ServerCertificate } from "../../src/ground/ServerCertificate.ts"
import { MemoryDisk } from "../../testing/MemoryDisk.ts"
import { Visitors } from "../../testing/Visitors.ts"
import { settingsWith } from "../storage/Workbench.ts"
import { certificates, type Pair } from "../support/Certificate.ts"
import { testGround } from "../support/Ground.ts"

const settings = settingsWith({ tls: { certificate_file: "/etc/tls/cert.pem", key_file: "/etc/tls/key.pem" } })

const put = Effect.fnUntraced(function* (name: "cert" | "key", { [name]: text }: Pair) {
  const { outside } = yield* MemoryDisk
  outside.write("/etc/tls/new", new TextEncoder().encode(text))
  outside.rename("/etc/tls/new", `/etc/tls/${name}.pem`)
})

it.effect("a certificate that takes another's place is shown once its key is there too, and a bad one is not", () =>
  Effect.gen(function* () {
    const { outside } = yield* MemoryDisk
    const { make } = yield* certificates
    const [one, two, three] = [make(), make(), make()]
    for (const folder of ["/etc", "/etc/tls"]) outside.makeFolder(folder)
    yield* put("cert", one)
    yield* put("key", one)
    const shown: Array<ServerCertificate> = []
    yield* followCertificate(yield* readCertificate, (next) => Effect.sync(() => void shown.push(next)))
    yield* TestClock.adjust("5 seconds")
    assert.lengthOf(shown, 0)

    yield* put("cert", { ...one, cert: `${one.cert}-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n` })
    yield* TestClock.adjust("5 seconds")
    assert.lengthOf(shown, 0)

    yield* put("cert", two)
    yield* TestClock.adjust("5 seconds")
    assert.lengthOf(shown, 0)
    yield* put("key", two)
    yield* TestClock.adjust("1 second")
    assert.deepStrictEqual(
      shown.map(({ chain, key }) => [chain, Redacted.value(key)]),
      [[two.cert, two.key]]
    )

    // within a second of one another nobody sees the one without the other
    yield* put("cert", three)
    yield* put("key", three)
    yield* TestClock.adjust("1 second")
    assert.lengthOf(shown, 2)
    outside.remove("/etc/tls/key.pem")
    yield* TestClock.adjust("1 minute")
    assert.lengthOf(shown, 2)
  }).pipe(Effect.provide(settings), Effect.provide(testGround), Effect.scoped)
)

it.effect("browsers are told to use nothing but TLS where the operator says so, over TLS alone", () =>
  Effect.gen(function* () {
    const { outside } = yield* MemoryDisk
    const { make } = yield* certificates
    const pair = make()
    for (const folder of ["/etc", "/etc/tls"]) outside.makeFolder(folder)
    yield* put("cert", pair)
    yield* put("key", pair)
    yield* Layer.build(PublicHttp.layer)
    const { ask } = yield* Visitors
    const { live } = yield* Settings
    const hstsAt = (port: number) =>
      Effect.map(ask(port, { target: "/" }), ({ headers }) => headers["strict-transport-security"])
    assert.isUndefined(yield* hstsAt(8443))
    yield* SubscriptionRef.update(live, (now) => ({ ...now, tls: { hsts_seconds: 60 } }))
    assert.strictEqual(yield* hstsAt(8443), "max-age=60")
    assert.isUndefined(yield* hstsAt(8002))
  }).pipe(Effect.provide(settings), Effect.provide(testGround), Effect.scoped)
)

it.effect("a start without a certificate that can be used says which file it is, and why", () =>
  Effect.gen(function* () {
    const { message } = yield* Effect.flip(readCertificate)
    assert.strictEqual(
      message,
      "the certificate /etc/tls/cert.pem cannot be used: it cannot be read (ENOENT): see tls.certificate_file and tls.key_file"
    )
  }).pipe(Effect.provide(settings), Effect.provide(testGround))
)
