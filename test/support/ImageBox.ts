import * as Effect from "effect/Effect"
import assert from "node:assert/strict"
import { spawn, spawnSync } from "node:child_process"
import { once } from "node:events"
import { mkdtempSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { eventually } from "./Eventually.ts"

const imageBox = join(import.meta.dirname, "image-box")
const containerfile = readFileSync(join(import.meta.dirname, "../../packaging/Containerfile"), "utf8")

/** What packaging/Containerfile has an engine ask whether a container is well. */
const [, healthcheck = ""] = /^HEALTHCHECK .* CMD \["(.*)"\]$/m.exec(containerfile) ?? []

interface Started {
  /** a folder with an image's root, or a Debian package (image-box) */
  readonly root: string
  /** the command that it is started by */
  readonly through?: ReadonlyArray<string>
  readonly environment?: Readonly<Record<string, string>>
}

/** Settings for where FFmpeg is emulated: it takes seconds to start. */
export const emulatedFfmpeg = {
  CAMERA_SERVICE_STREAMS_START_TIMEOUT_SECONDS: "40",
  CAMERA_SERVICE_SNAPSHOTS_LIVE_TIMEOUT_SECONDS: "10",
  CAMERA_SERVICE_SNAPSHOTS_ACTIVATED_TIMEOUT_SECONDS: "10",
  CAMERA_SERVICE_SNAPSHOTS_DIRECT_TIMEOUT_SECONDS: "10"
}

/** An image's root, started as a container engine does it; well by the time that it is given. */
export const startImage = Effect.fnUntraced(function* ({ environment, root, through = [] }: Started) {
  const volume = yield* Effect.acquireRelease(
    Effect.sync(() => mkdtempSync(join(tmpdir(), "camera-service-volume-"))),
    (made) => Effect.sync(() => rmSync(made, { recursive: true, force: true, maxRetries: 5 }))
  )
  const [program = imageBox, ...args] = [...through, imageBox, root, volume]
  const env = { ...process.env, ...environment }
  const outer = yield* Effect.acquireRelease(
    Effect.sync(() => spawn(program, args, { env, stdio: ["ignore", "ignore", "pipe"] })),
    (made) => Effect.sync(() => made.kill("SIGKILL"))
  )
  const ended = once(outer, "exit")
  let log = ""
  outer.stderr.setEncoding("utf8").on("data", (text: string) => void (log += text))
  const first = () => readFileSync(`/proc/${outer.pid}/task/${outer.pid}/children`, "utf8").trim()
  /** runs a command in it, as its user */
  const run = (...command: ReadonlyArray<string>) => {
    const { status, stderr, stdout } = spawnSync(imageBox, ["--in", first(), ...command], { encoding: "utf8", env })
    return { status, stdout, said: stdout + stderr }
  }
  yield* eventually(
    "it is well, or has ended",
    Effect.sync(() => outer.exitCode !== null || (first() !== "" && run(healthcheck).status === 0)),
    "5 minutes"
  )
  assert.equal(outer.exitCode, null, log)
  return {
    run,
    /** of its first process, as /proc has it */
    process: () => readFileSync(`/proc/${first()}/status`, "utf8"),
    log: () => log,
    /** asks it to end; its status */
    end: Effect.promise(async () => {
      process.kill(Number(first()), "SIGTERM")
      const [status] = (await ended) as [number | null]
      return status
    })
  }
})

type Image = Effect.Success<ReturnType<typeof startImage>>

/** What is promised of an image: no root, a root that is read only, one volume; pictures and recordings; an end when it is asked. */
export const lives = Effect.fnUntraced(function* (image: Image) {
  const well = (...command: ReadonlyArray<string>) => {
    const { said, status } = image.run(...command)
    assert.equal(status, 0, `${command.join(" ")}: ${said}\n${image.log()}`)
    return said
  }
  assert.match(image.process(), /^Uid:\t10001\t10001\t10001\t10001$/m)
  assert.match(image.run("touch", "/usr/new").said, /Read-only file system/)
  well("camera-service", "snapshot", "camera0", "-o", "/tmp/picture.jpg")
  assert.match(well("ls", "/var/lib/camera-service/snapshots"), /\.jpg$/m)
  assert.match(well("camera-service", "record", "camera0", "--for", "2s"), /\.mp4/)
  assert.match(well("ls", "/var/lib/camera-service/recordings"), /\.mp4$/m)
  assert.equal(yield* image.end, 0, image.log())
})
