import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { Tcp } from "../../src/ground/Tcp.ts"
import { probe } from "../../src/rtsp/Probe.ts"

it.effect("a port that nobody listens on is unreachable", () =>
  Effect.gen(function* () {
    const tcp = yield* Tcp
    const target = { address: "127.0.0.1", port: 1, url: "rtsp://127.0.0.1:1/", isSecure: false }
    const failed = yield* Effect.flip(probe(tcp, target))
    assert.strictEqual(failed._tag, "RtspFailed")
  }).pipe(Effect.provide(Tcp.layer))
)
