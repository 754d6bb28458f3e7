import * as Effect from "effect/Effect"
import assert from "node:assert/strict"
import { execFileSync } from "node:child_process"
import { mkdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs"
import { mjpg } from "../vm/Formats.ts"
import { scenario } from "../vm/Scenario.ts"
import { nodeOf } from "../vm/Steps.ts"

const formats = [mjpg(320, 240, 15)]
const empty = 2000

const odd = ["video", "video-1", "video0.lock", "video0 ", "video\n1", "video99999999999999999999"]
const numbers = Array.from({ length: empty }, (_, number) => 1000 + number)

/** Whatever may stand in /dev under a camera's name, or one like it, by whoever's mistake. */
const litter = (camera: string): void => {
  const run = (program: string, ...words: ReadonlyArray<string>) => execFileSync(program, words, { stdio: "ignore" })
  writeFileSync("/dev/video800", "no camera")
  mkdirSync("/dev/video801")
  symlinkSync("/nowhere", "/dev/video802")
  symlinkSync("video803", "/dev/video803")
  symlinkSync(camera, "/dev/video804")
  run("mkfifo", "/dev/video805")
  run("mknod", "/dev/video806", "c", "1", "3")
  // the major number of V4L2, and a minor one that nobody has
  run("mknod", "/dev/video807", "c", "81", "250")
  for (const name of odd) writeFileSync(`/dev/${name}`, "")
  for (const number of numbers) writeFileSync(`/dev/video${number}`, "")
}

/** The scenarios after this one have the same /dev. */
const sweep = (): void => {
  const named = [800, 801, 802, 803, 804, 805, 806, 807, ...numbers].map((number) => `video${number}`)
  for (const name of [...named, ...odd]) rmSync(`/dev/${name}`, { recursive: true, force: true })
}

export default scenario({
  title: "a /dev full of junk hides no camera, and is none",
  cameras: {
    desk: { name: "Desk", serial: "J-1", formats },
    door: { name: "Door", serial: "J-2", formats }
  },
  play: Effect.fnUntraced(function* (lab) {
    const cameras = Effect.map(lab.call().get_camera_list({}), (listed) =>
      listed.cameras.filter(({ status }) => status !== "DISCONNECTED").map(({ device }) => device)
    )
    const desk = yield* lab.plug("desk")
    const before = yield* cameras
    const node = yield* nodeOf(lab, desk)
    yield* Effect.acquireRelease(
      Effect.sync(() => litter(node)),
      () => Effect.sync(sweep)
    )
    const door = yield* lab.plug("door")
    yield* lab.call().start_streaming({ device: desk })
    assert.deepEqual(yield* cameras, [...before, door])
    yield* lab.call().stop_streaming({ device: desk })
  })
})
