import * as Effect from "effect/Effect"
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { fractions } from "../../testing/Chance.ts"
import { hasPast, lookAfter } from "../power/AfterCut.ts"
import { conclusive, mostLost, tooLate } from "../power/Conclusive.ts"
import { type Life, live } from "../power/Life.ts"
import { lateSeconds, recordedAt } from "../power/History.ts"
import { mountImage, mountLoggedDisk } from "../power/LoggedDisk.ts"
import { startAfter } from "../power/StartAfter.ts"
import { type Cut, type Entry, makeReplay, readWriteLog } from "../power/WriteLog.ts"

/** A run of the service, and at which of its moments the power is cut. */
export interface Plan extends Life {
  readonly seed: number
  /** so many flushes, chosen by the seed; all of them where there are fewer */
  readonly flushes: number
  /** after so many of the cuts the whole service is started, too */
  readonly starts: number
  /** the disk's size; 48 where it is left out, which do for 20 s */
  readonly megabytes?: number
}

/** What became of it. */
export interface Outcome {
  readonly cuts: number
  /** what was promised and did not hold, with the cut that it did not survive */
  readonly broken: ReadonlyArray<string>
  /** of one camera, by one cut */
  readonly mostLostSeconds: number
  /** the contract's second, and by how much this machine was late meanwhile */
  readonly allowedSeconds: number
}

/** In memory: the disk's own syncs cost nothing. */
const temporaryFolder = Effect.acquireRelease(
  Effect.sync(() => mkdtempSync("/dev/shm/camera-power-")),
  (folder) => Effect.sync(() => rmSync(folder, { recursive: true, force: true, maxRetries: 5 }))
)

/**
 * Three cuts a flush: right after it; right before the next one, with nothing of what came between, or with some of it: a disk
 * may write what it likes before it is told to.
 */
const cutsAt = (entries: ReadonlyArray<Entry>, end: number, { flushes, seed }: Plan): ReadonlyArray<Cut> => {
  const chance = fractions(seed)
  const all = entries.flatMap(({ end: at, kind }, i) => (kind === "flush" && at <= end ? [i + 1] : []))
  const chosen = all.filter(() => chance() < flushes / all.length)
  return chosen.flatMap((lasting) => {
    const next = all.find((at) => at > lasting) ?? lasting + 1
    const some = lasting + Math.floor(chance() * (next - lasting))
    return [
      { lasting, done: lasting, isKept: () => false },
      { lasting, done: next - 1, isKept: () => false },
      { lasting, done: some, isKept: () => chance() < 0.5 }
    ]
  })
}

/** A run of the service, on a disk that wrote it down, and what its cuts leave. */
const lived = Effect.fnUntraced(function* (plan: Plan) {
  const disk = yield* mountLoggedDisk(yield* temporaryFolder, plan.megabytes ?? 48)
  const history = yield* live(disk, plan)
  yield* disk.settle
  const entries = readWriteLog(disk.log())
  const cuts = cutsAt(entries, history.end, plan).map((cut) => ({
    cut,
    moment: { at: entries[cut.done - 1]?.end ?? 0 }
  }))
  return { history, blank: disk.blank, cuts, entries, image: disk.image() }
}, Effect.scoped)

/** Some cut has to come when all is done that is done beside the replies. */
const saysNothing = ({ cuts, history }: Effect.Success<ReturnType<typeof lived>>): string | undefined => {
  if (cuts.some(({ moment }) => hasPast(history, moment))) return tooLate(history)
  return `no cut comes long enough after the start: this machine was late by ${lateSeconds(history)} s`
}

/** Lives through a run, and through the power cuts of it: where the disk only says that it syncs, to the first that does harm. */
export const sufferPowerCuts = Effect.fnUntraced(function* (plan: Plan) {
  const { blank, cuts, entries, history, image } = yield* conclusive(lived(plan), saysNothing)
  const replay = makeReplay(blank, entries)
  const root = yield* temporaryFolder
  const [file, folder] = [join(root, "cut"), join(root, "cut.mounted")]
  /** Does something on the disk of a cut, as the cut has left it. */
  const after = <A, E, R>(cut: Cut, work: (data: string) => Effect.Effect<A, E, R>) =>
    Effect.suspend(() => {
      replay.at(cut, (disk) => writeFileSync(file, disk))
      return Effect.andThen(mountImage(file, folder), work(join(folder, "data")))
    }).pipe(Effect.scoped)

  const broken: Array<string> = []
  const allowedSeconds = mostLost + lateSeconds(history)
  let [done, starts, mostLostSeconds] = [0, 0, 0]
  for (const { cut, moment } of cuts) {
    const found = yield* after(cut, (data) => lookAfter(data, history, moment))
    done++
    mostLostSeconds = Math.max(mostLostSeconds, found.lostSeconds)
    broken.push(...found.broken.map((what) => `${what} (entries ${cut.lasting} to ${cut.done} of ${entries.length})`))
    if (plan.forgets !== undefined && (broken.length > 0 || mostLostSeconds > allowedSeconds)) break
    // spread over the run
    if (starts < plan.starts && cut.done >= (entries.length * (starts + 1)) / (plan.starts + 1)) {
      starts++
      yield* after(cut, (data) => startAfter(data, recordedAt(history, moment)))
    }
  }
  const isAll = (disk: Buffer) => disk.equals(image)
  if (
    plan.forgets === undefined &&
    !replay.at({ lasting: entries.length, done: entries.length, isKept: () => true }, isAll)
  ) {
    broken.push("the log of writes is not the whole story of the disk")
  }
  return { cuts: done, broken, mostLostSeconds, allowedSeconds } satisfies Outcome as Outcome
}, Effect.scoped)
