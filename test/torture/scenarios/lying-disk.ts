import * as Effect from "effect/Effect"
import assert from "node:assert/strict"
import { faultyDisk, mountAgain, turn } from "../../lab/vm/FaultyDisk.ts"
import { mjpg } from "../../lab/vm/Formats.ts"
import { scenario } from "../../lab/vm/Scenario.ts"
import { streaming } from "../../lab/vm/Steps.ts"
import { nothingLeft } from "../../support/End.ts"

export default scenario({
  title:
    "a disk that has lost what it took for some seconds has all from before, and the service starts on it and records on",
  cameras: { mast: { name: "Mast", serial: "M-1", formats: [mjpg(320, 240, 15)] } },
  settings: {},
  data: faultyDisk(),
  play: Effect.fnUntraced(function* (lab) {
    const { call } = lab
    const device = yield* lab.plug("mast")
    const recordFor = Effect.fnUntraced(function* (seconds: number) {
      yield* call().start_recording({ device })
      yield* streaming(lab, device)
      yield* Effect.sleep(`${seconds} seconds`)
    })
    yield* recordFor(2)
    const before = yield* call().stop_recording({ device })
    const { filename } = before
    const known = yield* call().get_recording_info({ filename })
    const { key_id } = yield* call().create_api_key({ role: "viewer" })
    yield* recordFor(1)

    // nobody is told: what is lost is seen when the kernel has forgotten it, too
    yield* turn("lost")
    yield* Effect.ignore(call().take_snapshot({ device }))
    yield* Effect.sleep("5 seconds")
    yield* turn("taken")
    yield* Effect.sleep("2 seconds")
    const { service } = lab.bench.now()
    for (const { pid } of service.ground.processes()) process.kill(pid, "SIGKILL")
    yield* service.ended
    yield* nothingLeft(service)
    yield* mountAgain
    yield* lab.bench.restart

    const { cameras } = yield* call().get_camera_list({})
    assert.equal(cameras.find(({ name }) => name === "Mast")?.device, device)
    const found = yield* call().get_recording_info({ filename })
    assert.deepEqual([found.file_size, found.duration], [known.file_size, known.duration])
    const { keys } = yield* call().list_api_keys({})
    assert.ok(
      keys.some((key) => key.key_id === key_id),
      "a key is gone"
    )
    // it was under way, and goes on
    yield* streaming(lab, device)
    yield* Effect.sleep("2 seconds")
    const after = yield* call().stop_recording({ device })
    assert.ok(after.duration > 1, `${after.duration} s`)
    assert.equal((yield* call().take_snapshot({ device })).status, "SUCCESS")
  })
})
