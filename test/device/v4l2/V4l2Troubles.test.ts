import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { TestClock } from "effect/testing"
import { bench, camera, formats, inPort, refused } from "./V4l2Bench.ts"

describe("V4L2 cameras in trouble", () => {
  it.effect("that nobody may open are shown as such after 2 s, and connected when they can be opened after all", () =>
    Effect.gen(function* () {
      const { answers, devices, faults, plug, scanned, touch, until } = yield* bench()
      yield* plug("video0", refused("EACCES"), "1", inPort(1, "HD Webcam"))
      yield* plug("video1", refused("EACCES"), "1", { ...inPort(2, "HD Webcam"), isUsbCamera: false })
      yield* scanned
      yield* devices.awaitSettled
      yield* TestClock.adjust("1999 millis")
      assert.deepStrictEqual(devices.list(), [])
      yield* TestClock.adjust("1 millis")
      yield* until(() => faults().length === 1)
      assert.deepStrictEqual(faults(), ["camera0 HD Webcam NO_PERMISSION: the service's user may not open it"])
      const refusing = yield* devices.get("camera0")
      assert.deepInclude(refusing, { status: "ERROR", formats: [] })
      assert.strictEqual(refusing.input.node, "/dev/video0")
      answers.set("/dev/video0", Effect.succeed(camera("HD Webcam C525")))
      yield* touch("video0")
      yield* until(() => faults().length === 0)
      const device = yield* devices.get("camera0")
      assert.deepInclude(device, { status: "CONNECTED", name: "HD Webcam C525", formats })
      assert.strictEqual(devices.list().length, 1)
    })
  )

  it.effect("that do not answer are shown as such at once, and asked again every 5 s until they do", () =>
    Effect.gen(function* () {
      const { answers, connected, devices, faults, plug, probed, scanned, until } = yield* bench()
      yield* plug("video0", refused("TIMEOUT"), "1", inPort(1, "HD Webcam"))
      yield* scanned
      yield* devices.awaitSettled
      assert.deepStrictEqual(faults(), ["camera0 HD Webcam UNRESPONSIVE: it did not answer within 2 s"])
      yield* TestClock.adjust("10 seconds")
      assert.deepStrictEqual([faults().length, probed.length], [1, 3])
      answers.set("/dev/video0", Effect.succeed(camera("HD Webcam")))
      yield* TestClock.adjust("5 seconds")
      yield* until(() => connected().length === 1)
      assert.deepStrictEqual(faults(), [])
    })
  )

  it.effect("are gone with their fault when they are pulled out, and not shown at all when they are left out", () =>
    Effect.gen(function* () {
      const { devices, faults, plug, scanned, unplug, until } = yield* bench({ exclude: ["infrared*"] })
      yield* plug("video0", refused("TIMEOUT"), "1", inPort(1, "Front"))
      yield* plug("video2", refused("TIMEOUT"), "1", inPort(2, "Infrared"))
      yield* scanned
      yield* devices.awaitSettled
      assert.strictEqual(faults().length, 1)
      yield* unplug("video0")
      yield* until(() => faults().length === 0)
      assert.deepStrictEqual(
        devices.list().map(({ fault, id, status }) => [id, status, fault]),
        [["camera0", "DISCONNECTED", undefined]]
      )
    })
  )

  it.effect("do not wait for one of which not even sysfs tells, nor does the first look for long", () =>
    Effect.gen(function* () {
      const { connected, devices, plug, scanned, until } = yield* bench()
      yield* plug("video0", camera("Silent"), "1", Effect.never)
      yield* plug("video1", Effect.never, "1", inPort(2, "Hangs"))
      yield* plug("video2", camera("Rear"), "1", inPort(3, "Rear"))
      yield* scanned
      yield* TestClock.adjust("3 seconds")
      yield* until(() => connected().length === 1)
      assert.isFalse(devices.settled())
      yield* TestClock.adjust("3 seconds")
      yield* devices.awaitSettled
      // from then on nobody waits at all
      yield* plug("video3", camera("Third"), "1", inPort(4, "Third"))
      yield* until(() => connected().length === 2)
    })
  )

  it.effect("are in their true state after a storm of plugging, hang as they may, and nothing is left over", () =>
    Effect.gen(function* () {
      const { active, close, connected, devices, plug, scanned, unplug, until } = yield* bench()
      yield* scanned
      // a sequence that looks random and is always the same (Lehmer's generator)
      let seed = 4711
      const random = (below: number): number => (seed = (seed * 48_271) % 2_147_483_647) % below
      const present = new Map<number, "answers" | "hangs">()
      for (let n = 0; n < 500; n++) {
        const number = random(5)
        const slow = Effect.repeat(Effect.yieldNow, { times: random(4) })
        if (present.delete(number)) {
          yield* unplug(`video${number}`)
        } else {
          const hangs = random(5) === 0
          const answer = hangs ? Effect.never : Effect.as(slow, camera(`Camera ${number}`))
          const place = Effect.as(slow, inPort(number, `Camera ${number}`, String(number)))
          present.set(number, hangs ? "hangs" : "answers")
          yield* plug(`video${number}`, answer, String(n), place)
        }
        if (random(3) === 0) yield* Effect.yieldNow
      }
      yield* plug("video9", camera("The last"))
      const names = [...present].flatMap(([number, how]) => (how === "hangs" ? [] : [`Camera ${number}`]))
      const now = () => connected(({ name }) => name)
      yield* until(() => now().length === names.length + 1 && names.every((name) => now().includes(name)))
      assert.isAtMost(devices.list().length, 6)
      assert.strictEqual(active().probing, present.size - names.length)
      yield* close
      assert.deepStrictEqual([connected(), active().probing], [[], 0])
    })
  )
})
