import * as Effect from "effect/Effect"
import * as Queue from "effect/Queue"
import { basename, join } from "node:path"
import { command } from "../../../src/cli/Command.ts"
import { makeVoice } from "../../../src/cli/Voice.ts"
import { KernelCalls } from "../../../src/ground/KernelCalls.ts"
import * as Ground from "../../../src/ground/Ground.ts"
import { KernelFiles } from "../../../src/ground/KernelFiles.ts"
import { driverIoctl } from "../../../testing/V4l2Driver.ts"

/*
 * The service on a kernel of files: `played.ts FOLDER FORMAT…` takes /dev and sysfs from there, and every node for a USB
 * camera that answers at once and has these formats. All else is the program as it is, and its environment.
 */

const [root = "", ...fourccs] = process.argv.slice(2)

const opened = new Map<number, string>()
let next = 1000
const ioctl = (fd: number) =>
  driverIoctl({
    card: `Camera ${opened.get(fd)}`,
    deviceCaps: 0x04200001,
    formats: fourccs.map((fourcc) => ({
      fourcc,
      sizes: [
        [1280, 720],
        [640, 480],
        [320, 240]
      ],
      intervals: [
        [1, 30],
        [1, 15]
      ]
    }))
  })

const calls = {
  open: async (path: string) => {
    opened.set(++next, basename(path))
    return next
  },
  close: (fd: number) => void opened.delete(fd),
  ioctls: async () => ({
    ioctl,
    ioctlAsync: async (fd: number, request: number, argument: Buffer) => ioctl(fd)(request, argument) === 0,
    addressOf: () => 0n
  })
}

const nothing = Effect.runSync(Queue.sliding<void>(1))
const life = { voice: makeVoice(), hangups: nothing, copies: nothing, ending: () => {} }

Effect.runFork(
  command(["serve"], process.env, life).pipe(
    Effect.provide(KernelFiles.layerAt({ dev: join(root, "dev"), sys: join(root, "sys"), proc: "/proc" })),
    Effect.provideService(KernelCalls, calls),
    Effect.provide(Ground.layer)
  )
)
