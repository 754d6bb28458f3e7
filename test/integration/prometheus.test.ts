import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { TestService } from "../../testing/TestService.ts"
import { eventually } from "../support/Eventually.ts"
import { prometheusProgram, startPrometheus } from "../support/Prometheus.ts"

it.live.skipIf(prometheusProgram === undefined)(
  "a Prometheus that is set up as docs/box.md says is quiet about a box that is well, and sounds for a camera that is pulled out",
  () =>
    Effect.gen(function* () {
      const service = yield* TestService.make()
      const { device, replug, unplug } = yield* service.plug({ name: "Door" })
      const seen = yield* startPrometheus(prometheusProgram ?? "", new URL(service.health).host)
      const waitFor = (what: string, isIt: (now: Effect.Success<typeof seen>) => boolean) =>
        eventually(
          what,
          Effect.map(seen, (now) => isIt(now) && now),
          "30 seconds"
        )
      const { alerts } = yield* waitFor("it has asked the box", ({ isUp }) => isUp)
      assert.deepStrictEqual(alerts, [])

      yield* unplug
      const sounding = yield* waitFor("it sounds", ({ alerts }) => alerts.some(({ state }) => state === "firing"))
      assert.lengthOf(sounding.alerts, 1)
      assert.deepInclude(sounding.alerts[0]?.labels, { alertname: "CameraDown", camera: device, severity: "warning" })
      assert.deepInclude(sounding.alerts[0]?.annotations, { runbook_url: "docs/runbook.md#cameradown" })

      yield* replug
      yield* waitFor("it is quiet again", ({ alerts }) => alerts.length === 0)
    }).pipe(Effect.scoped),
  120_000
)
