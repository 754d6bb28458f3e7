import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import type { Ioctl } from "../../../src/ground/KernelCalls.ts"
import { bufferType, currentMode, isCamera, queryCapability } from "../../../src/device/v4l2/Ioctl.ts"
import { enumerate } from "../../../src/device/v4l2/V4l2Nodes.ts"
import { type PlayedDriver, driverIoctl, type Interval } from "../../../testing/V4l2Driver.ts"

const capture = 0x04200001

const formatsOf = (device: PlayedDriver, type = 1) => {
  const ioctl = driverIoctl({ deviceCaps: capture, ...device })
  return enumerate(ioctl, type, currentMode(ioctl, type))
}

describe("what a node is", () => {
  it.each([
    ["a UVC camera", 0x04200001, true],
    ["a UVC camera's metadata", 0x04a00000, false],
    ["a camera that captures in several planes", 0x04201000, true],
    ["a television card", 0x05230001, true],
    ["a radio", 0x00050000, false],
    ["an output", 0x04200002, false],
    ["a converter", 0x04208000, false],
    ["a converter of several planes", 0x04204000, false],
    ["an old converter, which captures and outputs", 0x04000003, false],
    ["a sensor that the media controller runs", 0x24200001, false],
    ["a touch pad", 0x14200001, false],
    ["a VBI node", 0x05200010, false],
    ["a software radio", 0x05300000, false]
  ])("%s: camera %#", (_title, deviceCaps, expected) => {
    assert.strictEqual(isCamera(deviceCaps), expected)
  })

  it("is told by this node's capabilities, not by all of the device's", () => {
    const answer = queryCapability(driverIoctl({ capabilities: 0x84a00001, deviceCaps: 0x04a00000 }))
    assert.deepInclude(answer, { deviceCaps: 0x04a00000 })
  })

  it("is told by the device's capabilities where an old driver knows no others", () => {
    assert.deepInclude(queryCapability(driverIoctl({ capabilities: 0x05000001 })), { deviceCaps: 0x05000001 })
  })

  it("has names that fill their field, with nothing in them that would spoil a log", () => {
    const answer = queryCapability(
      driverIoctl({ card: `Cam\n\u001b[2J${"x".repeat(30)}`, driver: "sixteen-letters!", deviceCaps: capture })
    )
    assert.deepInclude(answer, {
      driver: "sixteen-letters!",
      card: `Cam[2J${"x".repeat(24)}`,
      bus: "usb-0000:00:14.0-2"
    })
  })

  it("is not known where it is no V4L2 node: the errno tells", () => {
    assert.strictEqual(
      queryCapability(() => 25),
      25
    )
  })
})

describe("what a camera delivers", () => {
  const fast: ReadonlyArray<Interval> = [
    [1, 30],
    [1, 15],
    [1001, 30000]
  ]

  it.effect("is each pixel format with its sizes and their rates, the fastest first", () =>
    Effect.gen(function* () {
      const formats = yield* formatsOf({
        formats: [
          {
            fourcc: "MJPG",
            sizes: [
              [1280, 720],
              [640, 480],
              [1280, 720]
            ],
            intervals: fast
          },
          { fourcc: "YUYV", sizes: [[640, 480]], intervals: [[1, 10]] },
          { fourcc: "Y16", bigEndian: true, sizes: [[160, 120]], intervals: [[1, 9]] }
        ]
      })
      const rates = [30, 29.97, 15]
      assert.deepStrictEqual(formats, [
        {
          pixelFormat: "MJPG",
          sizes: [
            { width: 1280, height: 720, rates },
            { width: 640, height: 480, rates }
          ]
        },
        { pixelFormat: "YUYV", sizes: [{ width: 640, height: 480, rates: [10] }] },
        { pixelFormat: "Y16-BE", sizes: [{ width: 160, height: 120, rates: [9] }] }
      ])
    })
  )

  it.effect("is the usual sizes and rates, and the largest, where any in a range will do", () =>
    Effect.gen(function* () {
      const [format] = yield* formatsOf({
        formats: [
          {
            fourcc: "YUYV",
            sizeRange: { width: [48, 1000, 8], height: [32, 600, 4] },
            intervalRange: [
              [1, 40],
              [1, 10]
            ]
          }
        ]
      })
      assert.deepStrictEqual(
        format?.sizes.map(({ height, width }) => `${width}x${height}`),
        [
          "176x144",
          "320x180",
          "320x240",
          "352x288",
          "640x360",
          "640x480",
          "720x480",
          "720x576",
          "800x600",
          "960x540",
          "1000x600"
        ]
      )
      assert.deepStrictEqual(format?.sizes[0]?.rates, [40, 30, 25, 24, 20, 15, 10])
    })
  )

  it.effect("is listed once when a size at the end of the range is a usual one too", () =>
    Effect.gen(function* () {
      const [format] = yield* formatsOf({
        formats: [{ fourcc: "YUYV", sizeRange: { width: [640, 640, 1], height: [480, 480, 1] }, intervals: [[1, 30]] }]
      })
      assert.deepStrictEqual(format?.sizes, [{ width: 640, height: 480, rates: [30] }])
    })
  )

  it.effect("is what is set now where the driver lists nothing", () =>
    Effect.gen(function* () {
      const current = { width: 720, height: 576 }
      const formats = [{ fourcc: "UYVY" }]
      assert.deepStrictEqual(yield* formatsOf({ formats, current: { ...current, interval: [1, 25] } }), [
        { pixelFormat: "UYVY", sizes: [{ ...current, rates: [25] }] }
      ])
      assert.deepStrictEqual(yield* formatsOf({ formats, current }), [
        { pixelFormat: "UYVY", sizes: [{ ...current, rates: [30] }] }
      ])
      assert.deepStrictEqual(yield* formatsOf({ formats }), [{ pixelFormat: "UYVY", sizes: [] }])
    })
  )

  it.effect("is asked for in several planes where the node has no other capture", () =>
    Effect.gen(function* () {
      const formats = [{ fourcc: "NM12", sizes: [[640, 480]] as const, intervals: fast }]
      assert.strictEqual(bufferType(0x04201000), 9)
      assert.strictEqual(bufferType(0x04201001), 1)
      assert.strictEqual((yield* formatsOf({ formats, type: 9 }, 9)).length, 1)
    })
  )

  it.effect("ends, also when a broken driver's lists do not", () =>
    Effect.gen(function* () {
      let asked = 0
      const formats = yield* enumerate((_request, argument) => {
        asked++
        // each format and size another one
        argument.writeUInt32LE(asked, argument.length === 64 ? 44 : 12)
        if (argument.length !== 64) argument.writeUInt32LE(1, argument.length === 44 ? 8 : 16)
        return 0
      }, 1).pipe(Effect.map((all) => all.length))
      assert.isAtMost(formats, 64)
    })
  )

  it.live("leaves others their turn while a camera lists many modes", () =>
    Effect.gen(function* () {
      const sizes = Array.from({ length: 40 }, (_, n) => [320 + 16 * n, 240] as const)
      const driver = driverIoctl({ deviceCaps: capture, formats: [{ fourcc: "MJPG", sizes, intervals: fast }] })
      const slow: Ioctl = (request, argument) => {
        const until = performance.now() + 0.6
        while (performance.now() < until);
        return driver(request, argument)
      }
      let turns = 0
      let isOver = false
      const turn = (): void => {
        turns++
        if (!isOver) setImmediate(turn)
      }
      setImmediate(turn)
      yield* enumerate(slow, 1)
      isOver = true
      // each size takes longer than anybody may keep the loop
      assert.isAtLeast(turns, sizes.length)
    })
  )
})

describe("what is set on a camera now", () => {
  const current = { width: 1280, height: 720, fourcc: "MJPG" }
  const mode = { width: 1280, height: 720, pixelFormat: "MJPG" }

  it("is its size, pixel format and rate", () => {
    const ioctl = driverIoctl({ current: { ...current, interval: [1001, 30000] } })
    assert.deepStrictEqual(currentMode(ioctl, 1), { ...mode, rate: 29.97 })
  })

  it("has no rate where the driver tells none, and is nothing where it tells nothing", () => {
    assert.deepStrictEqual(currentMode(driverIoctl({ current }), 1), mode)
    assert.deepStrictEqual(currentMode(driverIoctl({ current: { ...current, interval: [0, 0] } }), 1), mode)
    assert.isUndefined(currentMode(driverIoctl({}), 1))
  })
})
