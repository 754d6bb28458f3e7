import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { residentMegabytes } from "../../scripts/benchmarks/Proc.ts"
import { eventually } from "../support/Eventually.ts"
import { connect } from "../support/PlainClient.ts"
import { startReady } from "../support/Service.ts"

it.live(
  "what the start took, and bursts of clients after it, is given back when they are gone",
  () =>
    Effect.gen(function* () {
      const service = yield* startReady({ settings: { TELEMETRY_LOG_LEVEL: "debug" } })
      const times = (): number => service.stderr().split("memory is given back").length - 1
      const givenBack = (what: string, already: number) =>
        eventually(
          `${what} is given back`,
          Effect.sync(() => times() > already && residentMegabytes(service.pid) < 50),
          "60 seconds"
        )
      const started = residentMegabytes(service.pid)
      yield* givenBack("the start's", 0)
      const atRest = residentMegabytes(service.pid)
      assert.isBelow(atRest, started - 15)

      const token = yield* service.token({ role: "viewer" })
      const visit = Effect.scoped(
        Effect.gen(function* () {
          const { result } = yield* connect(service.url, token)
          for (let i = 0; i < 40; i++) yield* result("get_camera_list")
        })
      )
      const burst = Effect.all(
        Array.from({ length: 200 }, () => visit),
        { concurrency: "unbounded" }
      )
      for (const what of ["the first burst's", "the second burst's"]) {
        const already = times()
        yield* burst
        assert.isAbove(residentMegabytes(service.pid), atRest + 8)
        yield* givenBack(what, already)
      }
    }),
  180_000
)
