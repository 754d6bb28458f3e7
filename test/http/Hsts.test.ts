import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as SubscriptionRef from "effect/SubscriptionRef"
import { Certificate } from "../../src/config/Certificate.ts"
import { Settings } from "../../src/config/Settings.ts"
import { PublicHttp } from "../../src/http/PublicHttp.ts"
import { Visitors } from "../../testing/Visitors.ts"
import { certificates } from "../support/Certificate.ts"
import { putFirst, secured } from "../support/CertificateFiles.ts"
import { testGround } from "../support/Ground.ts"

it.effect("browsers are told to use nothing but TLS where the operator says so, over TLS alone", () =>
  Effect.gen(function* () {
    yield* putFirst((yield* certificates).make())
    yield* Layer.build(Layer.provide(PublicHttp.layer, Certificate.layer))
    const { ask } = yield* Visitors
    const { live } = yield* Settings
    const hstsAt = (port: number) =>
      Effect.map(ask(port, { target: "/" }), ({ headers }) => headers["strict-transport-security"])
    assert.isUndefined(yield* hstsAt(8443))
    yield* SubscriptionRef.update(live, (now) => ({ ...now, tls: { hsts_seconds: 60 } }))
    assert.strictEqual(yield* hstsAt(8443), "max-age=60")
    assert.isUndefined(yield* hstsAt(8002))
  }).pipe(Effect.provide(secured), Effect.provide(testGround), Effect.scoped)
)
