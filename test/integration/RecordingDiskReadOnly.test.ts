import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { execFileSync } from "node:child_process"
import { accessSync, closeSync, constants, mkdirSync, openSync, truncateSync, writeFileSync } from "node:fs"
import { basename, join } from "node:path"
import type { TestContext } from "vitest"
import { FileIndex } from "../../src/storage/FileIndex.ts"
import { temporaryFolder } from "../storage/Workbench.ts"
import { listen, untilTold } from "../suites/interruptions.ts"
import { filesOnDisk, record, start, stop } from "../suites/recordings.ts"
import { take } from "../suites/snapshots.ts"
import { plugIn, runReal } from "../support/App.ts"
import { until } from "../support/Ground.ts"

const run = (program: string, ...words: ReadonlyArray<string>) =>
  execFileSync(program, words, { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] }).trim()

/** What is written there is taken for a fault of the file system that is mounted there. */
const triggerOf = (folder: string): string =>
  `/sys/fs/ext4/${basename(run("findmnt", "--noheadings", "--output", "SOURCE", folder))}/trigger_fs_error`

/** Status 1: it has mended something. */
const mend = (image: string) => Effect.sync(() => run("sh", "-c", 'e2fsck -p "$0" || [ $? -eq 1 ]', image))

const settings = { storage: { reserve_mb: 0, warn_percent: 100, refuse_percent: 100 } }

it.live(
  "a disk that the kernel makes read-only is told of; mended and mounted again, it has what was recorded, and is recorded on",
  (context: TestContext) =>
    Effect.gen(function* () {
      const folder = yield* temporaryFolder
      const [image, root] = [join(folder, "image"), join(folder, "data")]
      closeSync(openSync(image, "w"))
      truncateSync(image, 64 << 20)
      mkdirSync(root)
      const mount = Effect.sync(() => run("mount", "-o", "loop,errors=remount-ro", image, root))
      try {
        run("mkfs.ext4", "-q", "-F", image)
        Effect.runSync(mount)
        accessSync(triggerOf(root), constants.W_OK)
      } catch {
        return context.skip("file systems cannot be mounted here")
      }
      const unmount = Effect.sync(() => run("umount", root))
      yield* Effect.addFinalizer(() => Effect.exit(unmount))
      const body = Effect.gen(function* () {
        const camera = yield* plugIn()
        const told = yield* listen
        const recording = yield* start({ camera })
        // some seconds of it: the last one may be lost
        yield* record(recording, 300_000)
        const [first = ""] = yield* filesOnDisk

        writeFileSync(triggerOf(root), "made by a test")
        yield* untilTold(told, 3)
        const detail = "the file system is read-only"
        assert.deepInclude(told[2], { status: "ERROR", reason: `cannot write the recording: ${detail}` })
        const refused = yield* Effect.flip(take({ camera }))
        assert.deepInclude(refused, { dependency: "storage", detail: `cannot save the snapshot: ${detail}` })

        return first
      })
      const first = yield* runReal(root, body, settings)
      // nobody uses the disk any more: it can be taken out, and mended
      yield* unmount
      yield* mend(image)
      yield* mount
      const afterwards = Effect.gen(function* () {
        const camera = yield* plugIn()
        const index = yield* FileIndex
        const durationOfFirst = Effect.map(index.get("recording", first), (file) => file?.duration ?? 0)
        yield* until(
          "it is known how long the first file is",
          Effect.map(durationOfFirst, (duration) => duration > 1)
        )
        yield* until("there is a picture", Effect.isSuccess(take({ camera })))
        // nothing of its end could be written down
        yield* until(
          "it is recorded on",
          Effect.map(filesOnDisk, (files) => files.length > 1)
        )
        const { files } = yield* stop(camera)
        assert.isAbove(files.at(-1)?.duration ?? 0, 0)
      })
      yield* runReal(root, afterwards, settings)
    }),
  120_000
)
