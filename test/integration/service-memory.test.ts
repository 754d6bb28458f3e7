import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { residentMegabytes } from "../../scripts/benchmarks/Proc.ts"
import { eventually } from "../support/Eventually.ts"
import { connect } from "../support/PlainClient.ts"
import { startReady } from "../support/Service.ts"

it.live(
  "what a burst of clients took is given back when they are gone",
  () =>
    Effect.gen(function* () {
      const service = yield* startReady({ settings: { TELEMETRY_LOG_LEVEL: "debug" } })
      const times = (): number => service.stderr().split("memory is given back").length - 1
      yield* eventually(
        "the start's is given back",
        Effect.sync(() => times() === 1),
        "30 seconds"
      )
      const before = residentMegabytes(service.pid)

      const token = yield* service.token({ role: "viewer" })
      const visit = Effect.scoped(
        Effect.gen(function* () {
          const { result } = yield* connect(service.url, token)
          for (let i = 0; i < 40; i++) yield* result("get_camera_list")
        })
      )
      yield* Effect.all(
        Array.from({ length: 200 }, () => visit),
        { concurrency: "unbounded" }
      )
      const full = residentMegabytes(service.pid)
      assert.isAbove(full - before, 8)

      yield* eventually(
        "the clients' is given back",
        Effect.sync(() => times() === 2),
        "60 seconds"
      )
      assert.isBelow(residentMegabytes(service.pid), full - 5)
      assert.isBelow(residentMegabytes(service.pid), before + 15)
    }),
  120_000
)
