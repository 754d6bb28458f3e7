import { assert } from "@effect/vitest"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import { execFile } from "node:child_process"
import { join } from "node:path"
import { promisify } from "node:util"
import { DataFolder } from "../../src/storage/DataFolder.ts"
import { FileIndex } from "../../src/storage/FileIndex.ts"
import { realPrograms } from "../support/App.ts"
import { clockOf } from "../support/ClockPicture.ts"
import { endFfmpeg, interruptionBehaviour, listen, removableCamera, untilTold } from "../suites/interruptions.ts"
import { filesOnDisk, record, start } from "../suites/recordings.ts"

interruptionBehaviour("interrupted recordings over the real MediaMTX and FFmpeg", realPrograms)

const run = (program: string, ...args: ReadonlyArray<string>) =>
  Effect.promise(async () => (await promisify(execFile)(program, ["-v", "error", ...args])).stdout)

const framesIn = (video: string) =>
  Effect.map(run("ffprobe", "-count_frames", "-show_entries", "stream=nb_read_frames", "-of", "csv=p=0", video), Number)

realPrograms.test(
  "the file of a camera that was unplugged holds its last pictures, and none is missing before them",
  Effect.gen(function* () {
    const index = yield* FileIndex
    const { recordings } = yield* DataFolder
    const { camera, detach } = yield* removableCamera
    const told = yield* listen
    yield* record(yield* start({ camera }), 100_000)
    const unpluggedAt = yield* Clock.currentTimeMillis
    yield* endFfmpeg
    yield* detach
    yield* untilTold(told, 3)
    const [filename = ""] = yield* filesOnDisk
    const path = join(recordings, filename)
    const last = join(recordings, "..", "last.png")
    // each picture replaces the one before
    yield* run("ffmpeg", "-i", path, "-update", "1", last)
    assert.isBelow(unpluggedAt - (yield* clockOf(last, 640, unpluggedAt)), 250)
    const duration = (yield* index.get("recording", filename))?.duration ?? 0
    assert.isAbove(duration, 0.5)
    assert.closeTo(yield* framesIn(path), duration * 25, 1)
  })
)
