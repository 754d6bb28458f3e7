import * as Effect from "effect/Effect"
import { randomUUID } from "node:crypto"
import { existsSync } from "node:fs"
import { mkdir, readFile, rename, rm } from "node:fs/promises"
import { spawn } from "node:child_process"
import { homedir } from "node:os"
import { join } from "node:path"
import { pipeline } from "node:stream/promises"
import { Readable } from "node:stream"
import type { H264Profile } from "./CameraSpec.ts"
import { picture, yuyvOf } from "./Picture.ts"

/** A camera's H.264 is encoded once, and then runs in a loop of so many seconds, one GOP each. */
const loopSeconds = 10

export interface H264Loop {
  readonly profile: H264Profile
  readonly width: number
  readonly height: number
  readonly rate: number
}

/** What test/lab/boot has made on the host; others are encoded in the machine each time, which takes it long. */
const usualLoops: ReadonlyArray<H264Loop> = (["constrained baseline", "high"] as const).flatMap((profile) =>
  [10, 30].flatMap((rate) => [
    { profile, width: 320, height: 240, rate },
    { profile, width: 640, height: 480, rate }
  ])
)

const folder = join(process.env["XDG_CACHE_HOME"] ?? join(homedir(), ".cache"), "camera-service/lab/h264")

function* pictures({ height, rate, width }: H264Loop) {
  for (let number = 0; number < loopSeconds * rate; number++) yield yuyvOf(picture(width, height, number))
}

/** Real cameras repeat their parameter sets before each keyframe; the delimiters (aud) show where a picture begins. */
const encode = async (loop: H264Loop, file: string): Promise<void> => {
  const { height, profile, rate, width } = loop
  const baseline = profile === "constrained baseline"
  const raw = ["-f", "rawvideo", "-pix_fmt", "yuyv422", "-s", `${width}x${height}`, "-r", String(rate)]
  const codec = ["-c:v", "libx264", "-preset", "veryfast", "-pix_fmt", "yuv420p"]
  const limits = baseline ? ["-profile:v", "baseline", "-level", "3.0"] : ["-profile:v", "high"]
  const parameters = `keyint=${rate}:min-keyint=${rate}:scenecut=0:repeat-headers=1:aud=1:bframes=0:threads=1`
  const output = ["-x264-params", parameters, "-f", "h264", `file:${file}`]
  const ffmpeg = spawn("ffmpeg", ["-v", "error", "-y", ...raw, "-i", "pipe:0", ...codec, ...limits, ...output], {
    stdio: ["pipe", "ignore", "inherit"]
  })
  const ended = new Promise<number | null>((resolve, reject) => ffmpeg.on("error", reject).on("close", resolve))
  await Promise.all([pipeline(Readable.from(pictures(loop)), ffmpeg.stdin), ended])
  const status = await ended
  if (status !== 0) throw new Error(`ffmpeg ended with status ${status}`)
}

const fileOf = ({ height, profile, rate, width }: H264Loop): string =>
  join(folder, `${profile.replace(" ", "-")}-${width}x${height}-${rate}.h264`)

const makeLoop = async (loop: H264Loop): Promise<void> => {
  await mkdir(folder, { recursive: true })
  const aside = `${fileOf(loop)}.${randomUUID()}`
  try {
    await encode(loop, aside)
    await rename(aside, fileOf(loop))
  } finally {
    await rm(aside, { force: true })
  }
}

const delimiter = Buffer.from([0, 0, 0, 1, 0x09])

/** The access units of the loop, one a picture; number i shows i. */
export const accessUnits = (loop: H264Loop) =>
  Effect.tryPromise(async () => {
    if (!existsSync(fileOf(loop))) await makeLoop(loop)
    const bytes = await readFile(fileOf(loop))
    const units: Array<Buffer> = []
    for (let from = 0; from < bytes.length;) {
      const next = bytes.indexOf(delimiter, from + delimiter.length)
      const to = next < 0 ? bytes.length : next
      units.push(bytes.subarray(from, to))
      from = to
    }
    return units
  })

if (import.meta.main) for (const loop of usualLoops) await makeLoop(loop)
