import * as Effect from "effect/Effect"
import assert from "node:assert/strict"
import { mjpg } from "../vm/Formats.ts"
import { scenario } from "../vm/Scenario.ts"
import { controlNamed, streaming } from "../vm/Steps.ts"

export default scenario({
  title: "a USB camera's controls are read and set while it streams, with the driver's own limits and refusals",
  cameras: {
    studio: {
      name: "Studio",
      serial: "S-1",
      formats: [mjpg(320, 240, 15)],
      controls: [
        { name: "brightness", clampsAt: 40 },
        { name: "powerLineFrequency" },
        { name: "whiteBalanceAuto" },
        { name: "whiteBalance" },
        { name: "focusAuto" },
        { name: "focus" }
      ]
    }
  },
  play: Effect.fnUntraced(function* (lab) {
    const device = yield* lab.plug("studio")
    yield* streaming(lab, device)
    const set = lab.call().set_camera_control

    const brightness = yield* controlNamed(lab, device, "Brightness")
    assert.deepEqual([brightness.type, brightness.min, brightness.max, brightness.value], ["integer", -64, 64, 0])
    assert.equal((yield* set({ device, id: brightness.id, value: -12 })).value, -12)
    // the camera takes more than 40 without a word, and the answer is what it has, not what it was told
    assert.equal((yield* set({ device, id: brightness.id, value: 60 })).value, 40)
    assert.equal((yield* controlNamed(lab, device, "Brightness")).value, 40)
    const beyond = yield* Effect.flip(set({ device, id: brightness.id, value: 65 }))
    assert.ok(beyond._tag === "InvalidParams" && beyond.rule.includes("-64 to 64"), String(beyond))

    const frequency = yield* controlNamed(lab, device, "Power Line Frequency")
    assert.deepEqual(
      frequency.menu?.map(({ name }) => name),
      ["Disabled", "50 Hz", "60 Hz"]
    )
    assert.equal((yield* set({ device, id: frequency.id, value: 2 })).value, 2)

    const automatic = yield* controlNamed(lab, device, "White Balance, Automatic")
    assert.deepEqual([automatic.type, automatic.value], ["boolean", 1])
    const temperature = yield* controlNamed(lab, device, "White Balance Temperature")
    assert.equal(temperature.inactive, true)
    const refused = yield* Effect.flip(set({ device, id: temperature.id, value: 3000 }))
    assert.ok(refused._tag === "InvalidState" && refused.state === "INACTIVE", String(refused))
    yield* set({ device, id: automatic.id, value: false })
    assert.equal((yield* set({ device, id: temperature.id, value: 3000 })).value, 3000)

    assert.equal((yield* lab.call().get_stream_status({ device })).status, "ACTIVE")
    const { current } = yield* lab.call().get_camera_capabilities({ device })
    assert.deepEqual(current, { format: "MJPG", resolution: "320x240", fps: 15 })
  })
})
