import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { round as figure } from "../../scripts/benchmarks/Statistics.ts"
import { fractions } from "../../testing/Chance.ts"
import { lookAfter } from "../power/AfterCut.ts"
import { conclusive, mostLost, tooLate } from "../power/Conclusive.ts"
import { lateSeconds, recordedAt } from "../power/History.ts"
import { live } from "../power/Life.ts"
import { mountImage, mountLoggedDisk, whyNoLoggedDisk } from "../power/LoggedDisk.ts"
import { startAfter } from "../power/StartAfter.ts"
import { signal } from "../support/Processes.ts"

const seeds = 20
const rounds = 5
const megabytes = 48

const temporaryFolder = Effect.acquireRelease(
  Effect.sync(() => mkdtempSync("/dev/shm/camera-killed-")),
  (folder) => Effect.sync(() => rmSync(folder, { recursive: true, force: true, maxRetries: 5 }))
)

/**
 * The QEMU that holds the disk is killed, and the kernel with all that it had not written gets nowhere with it: what is in its
 * image is what the next start finds.
 */
const killOnce = Effect.fnUntraced(function* (seconds: number) {
  const life = Effect.gen(function* () {
    const disk = yield* mountLoggedDisk(yield* temporaryFolder, megabytes)
    const pull = Effect.sync(() => signal(disk.pid, "SIGKILL"))
    return { history: yield* live(disk, { seconds, pull }), image: disk.image() }
  })
  const { history, image } = yield* conclusive(Effect.scoped(life), (lived) => tooLate(lived.history))
  const root = yield* temporaryFolder
  const [file, folder] = [join(root, "left"), join(root, "left.mounted")]
  writeFileSync(file, image)
  yield* mountImage(file, folder)
  const moment = { at: history.end }
  const found = yield* lookAfter(join(folder, "data"), history, moment)
  yield* startAfter(join(folder, "data"), recordedAt(history, moment))
  return { ...found, late: lateSeconds(history) }
}, Effect.scoped)

describe.skipIf(whyNoLoggedDisk() !== undefined)(
  "a QEMU that is killed at any moment while four cameras record",
  () => {
    for (let seed = 1; seed <= seeds; seed++) {
      it.live(
        `costs the last second of what is recorded, and the service starts on what is left, ${rounds} times (${seed})`,
        () =>
          Effect.gen(function* () {
            const chance = fractions(seed)
            for (let round = 0; round < rounds; round++) {
              const seconds = 1 + 5 * chance()
              const { broken, late, lostSeconds } = yield* killOnce(seconds)
              yield* Effect.logInfo(
                `killed after ${figure(seconds)} s: ${figure(lostSeconds)} s lost, late by ${figure(late)} s`
              )
              assert.deepEqual(broken, [], `round ${round}, killed after ${seconds} s`)
              assert.isAtMost(lostSeconds, mostLost + late)
            }
          }),
        600_000
      )
    }
  }
)
