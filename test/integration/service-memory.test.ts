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
      const started = residentMegabytes(service.pid)
      /** What idle work needs comes back at once: 8 to 15 MB, by how the machine's kernel reads files. */
      const much = started - 15
      const told = () =>
        service
          .stderr()
          .split("\n")
          .filter((line) => line.includes("memory is given back"))
      const times = (): number => told().length
      const givenBack = (what: string, already: number) =>
        eventually(
          `${what} is given back`,
          Effect.sync(() => times() > already && residentMegabytes(service.pid) < much),
          "80 seconds"
        ).pipe(
          Effect.catchDefect(() =>
            Effect.sync(() => assert.fail([what, started, residentMegabytes(service.pid), ...told()].join("\n")))
          )
        )
      yield* givenBack("the start's", 0)
      const atRest = residentMegabytes(service.pid)

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
        yield* Effect.repeat(burst, { until: () => residentMegabytes(service.pid) > atRest + 12 })
        yield* givenBack(what, already)
      }
    }),
  300_000
)
