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
      const waitFor = <A>(what: string, find: (now: Effect.Success<typeof seen>) => A) =>
        eventually(what, Effect.map(seen, find))
      const isQuiet = ({ alerts, isUp }: Effect.Success<typeof seen>) => isUp && alerts.length === 0
      yield* waitFor("it has asked the box", ({ isUp }) => isUp)
      const asked = Date.now()
      yield* waitFor(
        "it has evaluated each rule since, and has nothing to say",
        (now) => now.evaluatedAt > asked && isQuiet(now)
      )

      yield* unplug
      const alert = yield* waitFor("it sounds", ({ alerts }) =>
        alerts.find(({ labels, state }) => state === "firing" && labels["alertname"] === "CameraDown")
      )
      assert.deepInclude(alert.labels, { camera: device, severity: "warning" })
      assert.deepInclude(alert.annotations, { runbook_url: "docs/runbook.md#cameradown" })

      yield* replug
      yield* waitFor("it is quiet again", isQuiet)
    }).pipe(Effect.scoped),
  120_000
)
