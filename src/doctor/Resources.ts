import * as Clock from "effect/Clock"
import { SecureRandom } from "effect/crypto/SecureRandom"
import * as Effect from "effect/Effect"
import { join } from "node:path"
import { readCertificate } from "../config/ReadCertificate.ts"
import { liveNow, Settings } from "../config/Settings.ts"
import { isSecured } from "../config/Tls.ts"
import { buildDate } from "../config/Version.ts"
import { Disk } from "../ground/Disk.ts"
import type { DiskError } from "../ground/DiskError.ts"
import { KernelFiles } from "../ground/KernelFiles.ts"
import { Machine } from "../ground/Machine.ts"
import { dayMillis, isoTime, millisSince, now } from "../ground/Time.ts"
import { temporaryPrefix } from "../storage/NewFile.ts"
import { levelAfter, usedPercent } from "../storage/SpaceLevel.ts"
import { type Check, failure, type Finding, ok, warning } from "./Check.ts"
import { makeRoom, unmounted, unusable } from "./DataDisk.ts"
import type { Folder } from "./Folder.ts"
import { nearestThere } from "./Folder.ts"

/** As much as a camera of 4 Mbit/s has in a part of 100 ms, and how often it is written. */
const trialBytes = 50_000
const trials = 4
/** A recording's parts come 10 times a second, and what waits for the disk waits in memory. */
const slowSyncMillis = 250

/** FFmpeg takes about 60 MB for a camera that it encodes (measured, 720p), MediaMTX and the service as much again. */
const scarceMemory = 128 * 1024 ** 2
const noMemory = 48 * 1024 ** 2

/** What the service uses of the machine all the time, and may run out of while it runs. */
export const makeResourceChecks = Effect.fnUntraced(function* (folder: Folder) {
  const settings = yield* Settings
  const disk = yield* Disk
  const files = yield* KernelFiles
  const machine = yield* Machine
  const { uuidV4 } = yield* SecureRandom

  const room = Effect.gen(function* () {
    const at = yield* Effect.provideService(nearestThere(folder.path), Disk, disk)
    const space = yield* disk.space(at)
    const percent = usedPercent(space)
    const evidence = `${folder.path}: ${bytes(space.available)} of ${bytes(space.total)} left (${percent} % used)`
    const limits = liveNow(settings).storage
    switch (levelAfter("ENOUGH", space, limits)) {
      case "ENOUGH":
        return ok(evidence)
      case "LOW":
        return warning(`${evidence}; storage.warn_percent is ${limits.warn_percent}`, makeRoom)
      case "REFUSING":
        return failure(
          `${evidence}; from storage.refuse_percent (${limits.refuse_percent}) no recording begins`,
          makeRoom
        )
      case "RESERVE":
        return failure(`${evidence}; less than storage.reserve_mb (${limits.reserve_mb}): recordings wait`, makeRoom)
    }
  })

  /** Writes and syncs as a recording does, into a file that is gone afterwards: one of its own, for the service may look now too. */
  const sync = Effect.gen(function* () {
    if (!folder.isThere) {
      const above = yield* Effect.provideService(nearestThere(folder.path), Disk, disk)
      yield* disk.mayWrite(above)
      return ok(`${folder.path} is made at the first start`)
    }
    const path = join(folder.path, `${temporaryPrefix}${yield* uuidV4()}`)
    const times = yield* Effect.acquireUseRelease(
      disk.create(path, 0o600),
      (file) =>
        Effect.forEach(
          Array.from({ length: trials }, () => new Uint8Array(trialBytes)),
          Effect.fnUntraced(function* (part) {
            const began = yield* now
            yield* file.append(part)
            yield* file.sync
            return yield* millisSince(began)
          })
        ),
      () => Effect.ignore(disk.remove(path))
    )
    const slowest = Math.max(...times)
    const evidence = `${folder.path}: ${bytes(trialBytes)} are on the disk after ${slowest.toFixed(1)} ms (the slowest of ${trials})`
    return slowest < slowSyncMillis
      ? ok(evidence)
      : warning(evidence, "set data_dir to a faster disk, or let nothing else write to this one")
  }).pipe(Effect.scoped)

  const clock = Effect.gen(function* () {
    const wall = yield* Clock.currentTimeMillis
    const mend = "set it, and keep it: apt-get install systemd-timesyncd, then timedatectl set-ntp true"
    if (wall < madeAfter - dayMillis) {
      return failure(`it is ${isoTime(wall)}, and this program was made after ${isoTime(madeAfter)}`, mend)
    }
    const isKept = yield* machine.clockIsKept
    if (isKept === false) return warning(`it is ${isoTime(wall)}; the kernel knows of nobody who keeps it right`, mend)
    return ok(`it is ${isoTime(wall)}${isKept === undefined ? "" : ", kept by a time server"}`)
  })

  const watches = Effect.gen(function* () {
    const limit = (name: string) => (files.text(join(files.proc, "sys/fs/inotify", name)) ?? "").trim()
    const evidence = `${limit("max_user_instances")} instances and ${limit("max_user_watches")} watches a user`
    const mend = "sysctl -w fs.inotify.max_user_instances=512 fs.inotify.max_user_watches=65536"
    return yield* Effect.scoped(disk.watch(yield* Effect.provideService(nearestThere(folder.path), Disk, disk))).pipe(
      Effect.match({
        onFailure: ({ code }) => failure(`${evidence}, and none is left (${code}): cameras are noticed late`, mend),
        onSuccess: () => ok(evidence)
      })
    )
  })

  const memory = Effect.sync((): Finding => {
    const { available, total } = machine.room()
    const evidence = `${bytes(available)} of ${bytes(total)} are to be had`
    const mend = "stop what needs it (ps aux --sort=-rss | head), or set limits.ffmpeg_processes"
    if (available >= scarceMemory || total === 0) return ok(evidence)
    return available < noMemory ? failure(evidence, mend) : warning(evidence, mend)
  })

  const certificate = Effect.gen(function* () {
    const { names, validFrom, validTo } = yield* readCertificate
    const wall = yield* Clock.currentTimeMillis
    const evidence = `${names}: good from ${isoTime(validFrom)} to ${isoTime(validTo)}`
    if (wall < validFrom || wall > validTo) return failure(evidence, renewal)
    return validTo - wall < soonMillis ? warning(evidence, renewal) : ok(evidence)
  }).pipe(
    Effect.provideService(Disk, disk),
    Effect.provideService(Settings, settings),
    Effect.catch(({ message }) => Effect.succeed(failure(message, renewal)))
  )

  /** Nothing is written beneath the place of a disk that is away. */
  const ofFolder = (look: Effect.Effect<Finding, DiskError>) =>
    Effect.flatMap(unmounted(folder.path), (away) => (away === undefined ? look : Effect.succeed(away))).pipe(
      Effect.catch(({ code }) => unusable(folder.path, code)),
      Effect.provideService(Disk, disk),
      Effect.provideService(KernelFiles, files),
      Effect.provideService(Machine, machine)
    )
  return [
    { name: "disk", look: ofFolder(room) },
    { name: "disk_sync", look: ofFolder(sync) },
    { name: "clock", look: clock },
    { name: "inotify", look: watches },
    { name: "memory", look: memory },
    ...(isSecured(settings.boot) ? [{ name: "certificate", look: certificate }] : [])
  ] satisfies ReadonlyArray<Check>
})

/** Sources do not know when they were made: not before the first of them. */
const madeAfter = Math.max(Date.parse(buildDate), Date.parse("2026-01-01T00:00:00Z"))

/** Who renews certificates by itself has done so 30 days before. */
const soonMillis = 14 * dayMillis
const renewal = "renew it, and put it and its key into tls.certificate_file and tls.key_file: no restart is needed"

/** In the largest unit that leaves a number above 1. */
const bytes = (count: number): string => {
  const units = ["B", "kB", "MB", "GB", "TB"]
  const step = count < 1 ? 0 : Math.min(units.length - 1, Math.floor(Math.log10(count) / 3))
  return `${Number((count / 1000 ** step).toFixed(1))} ${units[step]}`
}
