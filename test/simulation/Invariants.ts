import * as Context from "effect/Context"
import { workOf } from "../../testing/Ffmpeg.ts"
import { Streams } from "../../src/stream/Streams.ts"
import type { World } from "./World.ts"

/** What holds at every moment. Gives what is broken; called again and again as time goes on. */
export type Invariant = (world: World) => () => string | undefined

const cameraOf = (args: ReadonlyArray<string>): string => {
  const url = args.find((arg) => arg.startsWith("rtsp:"))
  return url === undefined ? "" : new URL(url).pathname.slice(1)
}

const publishers = (world: World) =>
  world
    .running()
    .filter(({ args, program }) => workOf(program, args) === "publish")
    .map((process) => ({ pid: process.pid, camera: cameraOf(process.args) }))

/** FFmpeg is gone so many milliseconds after its last need ended, even if it ignores signals. */
const gone = 6000

export const invariants: Readonly<Record<string, Invariant>> = {
  "one FFmpeg a camera": (world) => () => {
    const cameras = publishers(world).map(({ camera }) => camera)
    const twice = cameras.find((camera, i) => cameras.indexOf(camera) !== i)
    return twice === undefined ? undefined : `two publish ${twice}`
  },

  "no process without a lease": (world) => {
    const unneeded = new Map<number, number>()
    return () => {
      const streams = world.life === undefined ? undefined : Context.get(world.life.nouns, Streams)
      const now = world.passed()
      const all = publishers(world)
      for (const pid of unneeded.keys()) if (!all.some((one) => one.pid === pid)) unneeded.delete(pid)
      for (const { camera, pid } of all) {
        if (streams?.all().some((stream) => stream.camera === camera) === true) {
          unneeded.delete(pid)
          continue
        }
        const since = unneeded.get(pid) ?? now
        unneeded.set(pid, since)
        if (now - since > gone) return `FFmpeg ${pid} publishes ${camera}, which nobody needs since ${now - since} ms`
      }
      return undefined
    }
  }
}
