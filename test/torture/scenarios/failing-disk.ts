import * as Effect from "effect/Effect"
import assert from "node:assert/strict"
import { faultyDisk, turn } from "../../lab/vm/FaultyDisk.ts"
import { mjpg } from "../../lab/vm/Formats.ts"
import { scenario } from "../../lab/vm/Scenario.ts"
import { streaming } from "../../lab/vm/Steps.ts"
import { eventually } from "../../support/Eventually.ts"
import { patience } from "../../lab/vm/Bench.ts"

export default scenario({
  title:
    "a disk that refuses what is written for some seconds costs the file of then, which is said, and all goes on by itself",
  cameras: { mast: { name: "Mast", serial: "M-1", formats: [mjpg(320, 240, 15)] } },
  settings: {},
  data: faultyDisk({ isJournalApart: true }),
  play: Effect.fnUntraced(function* (lab) {
    const { call } = lab
    const device = yield* lab.plug("mast")
    const first = yield* call().start_recording({ device })
    yield* streaming(lab, device)
    yield* Effect.sleep("2 seconds")

    yield* turn("refused")
    const { update: troubled } = yield* lab.updates().recording(({ status }) => status === "ERROR")
    assert.equal(troubled.filename, first.filename)
    assert.match(troubled.reason ?? "", /may not outlive a power cut: .*the disk reports an error/)
    const refused = yield* Effect.flip(call().create_api_key({ role: "viewer" }))
    assert.equal(refused._tag, "DependencyFailed")
    assert.equal((yield* call().get_status({})).status, "DEGRADED")
    yield* Effect.sleep("6 seconds")

    yield* turn("taken")
    const { update: again } = yield* lab
      .updates()
      .recording(({ filename, status }) => status === "RECORDING" && filename !== first.filename)
    assert.match(again.reason ?? "", /the disk takes it again/)
    const { key_id } = yield* call().create_api_key({ role: "viewer" })
    const { keys } = yield* call().list_api_keys({})
    assert.deepEqual(
      keys.map((key) => key.key_id),
      [key_id]
    )
    const picture = yield* call().take_snapshot({ device })
    assert.equal(picture.status, "SUCCESS")
    yield* eventually(
      "it is well",
      Effect.map(call().get_status({}), ({ status }) => status === "HEALTHY"),
      patience
    )
    yield* Effect.sleep("2 seconds")
    const { files, reason } = yield* call().stop_recording({ device })
    assert.deepEqual(files, [first.filename, again.filename])
    assert.match(reason ?? "", /may not outlive a power cut/)
    const whole = yield* call().get_recording_info({ filename: again.filename })
    assert.ok(whole.duration > 1, `${whole.duration} s`)
    // the file that was given up is not tried again
    const said = lab.bench
      .now()
      .service.stderr()
      .split("\n")
      .filter((line) => line.includes("a recording may not outlive"))
    assert.equal(said.length, 1, said.join("\n"))
  })
})
