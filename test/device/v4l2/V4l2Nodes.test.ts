import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { readdir, readlink, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { KernelCalls } from "../../../src/ground/KernelCalls.ts"
import { KernelFiles } from "../../../src/ground/KernelFiles.ts"
import { Kernel, KernelError } from "../../../src/device/v4l2/Kernel.ts"
import { V4l2Nodes } from "../../../src/device/v4l2/V4l2Nodes.ts"
import { temporaryFolder } from "../../storage/Workbench.ts"
import { eventually } from "../../support/Eventually.ts"
import { type PlayedDriver, driverIoctl } from "../../../testing/V4l2Driver.ts"

const onKernel = V4l2Nodes.layer.pipe(
  Layer.provide(Kernel.layer),
  Layer.provide([KernelCalls.layer, KernelFiles.layer])
)

/** The nodes of a kernel with one driver. */
const onDriver = (driver: PlayedDriver, wait: Effect.Effect<void, KernelError> = Effect.void) => {
  const ioctl = driverIoctl({ deviceCaps: 0x04200001, ...driver })
  const node = {
    ioctl,
    ioctlAsync: (request: number, argument: Buffer) => Effect.as(wait, ioctl(request, argument) === 0),
    idle: Effect.void,
    addressOf: () => 0n
  }
  const kernel = Layer.succeed(Kernel, {
    prepare: Effect.void,
    open: () => Effect.succeed(node),
    read: () => Effect.never,
    readSoon: () => Effect.never
  })
  return V4l2Nodes.layer.pipe(Layer.provide([kernel, KernelFiles.layer]))
}

const codeOf = (path: string) =>
  Effect.gen(function* () {
    const nodes = yield* V4l2Nodes
    return (yield* Effect.flip(nodes.probe(path))).code
  })

/** How often this process has the file open. */
const opened = async (path: string): Promise<number> => {
  const links = (await readdir("/proc/self/fd")).map((fd) => readlink(`/proc/self/fd/${fd}`).catch(() => ""))
  return (await Promise.all(links)).filter((link) => link === path).length
}

describe("asking a node what it is", () => {
  it.effect("tells its formats", () =>
    Effect.gen(function* () {
      const { probe } = yield* V4l2Nodes
      assert.deepStrictEqual(yield* probe("/dev/video0"), {
        driver: "uvcvideo",
        card: "Front",
        bus: "usb-0000:00:14.0-2",
        deviceCaps: 0x04200001,
        formats: [{ pixelFormat: "MJPG", sizes: [{ width: 640, height: 480, rates: [30] }] }]
      })
    }).pipe(
      Effect.provide(
        onDriver({
          card: "Front",
          formats: [{ fourcc: "MJPG", sizes: [[640, 480]], intervals: [[1, 30]] }]
        })
      )
    )
  )

  it.effect("is a TIMEOUT where another program waits for the device and keeps all others out", () =>
    Effect.gen(function* () {
      assert.strictEqual(yield* codeOf("/dev/video0"), "TIMEOUT")
    }).pipe(Effect.provide(onDriver({}, Effect.fail(new KernelError({ code: "TIMEOUT" })))))
  )

  it.effect("fails with the kernel's word for it where the node is something else, or is not there", () =>
    Effect.gen(function* () {
      assert.strictEqual(yield* codeOf("/dev/null"), "ENOTTY")
      assert.strictEqual(yield* codeOf("/dev/ptmx"), "ENOTTY")
      assert.strictEqual(yield* codeOf("/dev"), "EISDIR")
      assert.strictEqual(yield* codeOf("/dev/video-that-is-not-there"), "ENOENT")
    }).pipe(Effect.provide(onKernel))
  )

  it.live("leaves no file open, also when it is given up at once", () =>
    Effect.gen(function* () {
      const path = join(yield* temporaryFolder, "video0")
      yield* Effect.promise(() => writeFile(path, ""))
      const nodes = yield* V4l2Nodes
      const one = Effect.exit(nodes.probe(path))
      yield* Effect.all(
        Array.from({ length: 20 }, (_, n) => (n % 2 === 0 ? one : Effect.timeoutOption(one, 0))),
        { concurrency: "unbounded", discard: true }
      )
      yield* eventually(
        "the file is closed",
        Effect.promise(async () => (await opened(path)) === 0)
      )
    }).pipe(Effect.provide(onKernel))
  )
})

describe("a camera", () => {
  it.effect.each([
    ["one plane", 0x04200001, 1],
    ["several planes", 0x04201000, 9]
  ] as const)("is free when nobody has it deliver frames: %s", ([, deviceCaps, type]) => {
    let isBusy = true
    return Effect.gen(function* () {
      const { isFree } = yield* V4l2Nodes
      assert.isFalse(yield* isFree("/dev/video0"))
      isBusy = false
      assert.isTrue(yield* isFree("/dev/video0"))
    }).pipe(Effect.provide(onDriver({ deviceCaps, type, isBusy: () => isBusy })))
  })

  it.effect("is not free when it cannot be asked", () =>
    Effect.gen(function* () {
      const { isFree } = yield* V4l2Nodes
      for (const path of ["/dev/null", "/dev/video-that-is-not-there"]) assert.isFalse(yield* isFree(path))
    }).pipe(Effect.provide(onKernel))
  )
})
