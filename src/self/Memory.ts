import type * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type { KoffiFunc } from "koffi"
import { readFileSync } from "node:fs"
import { readFile } from "node:fs/promises"
import { performance } from "node:perf_hooks"
import { setFlagsFromString } from "node:v8"
import { runInNewContext } from "node:vm"
import { monotonicMillis } from "../ground/Time.ts"
import { Calls } from "./Calls.ts"
import { fileMappings, type Mapping, unchangedMappings } from "./Mappings.ts"

/*
 * V8 and the C library keep what a burst of work took, for the next one, and the kernel leaves every page of Node's binary
 * in the process that was ever used, most of them once, while it started. A box that stands for months has other uses for
 * memory: once this process has grown, and rests, it gives back what it does not need.
 */

/** Bytes. */
export interface Occupied {
  /** what is this process's alone (RssAnon) */
  readonly anonymous: number
  /** pages of files, programs and libraries, which other processes and the page cache share (RssFile) */
  readonly files: number
}

export interface OwnMemory {
  /** what has to wait until the service has started; before all else that follows */
  readonly prepare: () => void
  readonly occupied: () => Occupied
  /** the share of the time since it was last asked that the event loop was busy, 0 to 1 */
  readonly busy: () => number
  /** the most thorough collection that V8 has; everything waits for it (15 to 60 ms of a CPU at 3 GHz) */
  readonly collect: () => void
  /**
   * The C library gives back what was freed (malloc_trim(3), 1 to 2 ms), and the kernel takes out the pages of files that
   * lie on disk as they are in memory (madvise(2), MADV_DONTNEED, 1 to 2 ms); those that are used again come back from the
   * page cache, 64 kB at a time. Fails where these cannot be called.
   */
  readonly release: Effect.Effect<void, Cause.UnknownError>
}

/** Of the C library that Node itself runs on. */
const loadCalls = async () => {
  const { load } = await import("koffi")
  const libc = load(null)
  return {
    mallocTrim: libc.func("int malloc_trim(size_t pad)") as KoffiFunc<(pad: number) => number>,
    madvise: libc.func("int madvise(uintptr_t addr, size_t length, int advice)") as KoffiFunc<
      (address: bigint, length: number, advice: number) => number
    >
  }
}

/** madvise(2), linux/mman.h */
const dontNeed = 4

const kilobytesOf = (status: string, field: string): number =>
  Number(new RegExp(`^${field}:\\s+(\\d+) kB$`, "m").exec(status)?.[1] ?? 0)

/**
 * V8 collects by itself this long after a collection at the earliest (milliseconds; `gc_memory_reducer_start_delay_ms` of
 * V8 13.6), up to three times, where the process rests.
 */
const untilReducer = 8000

/**
 * V8's own collector. V8 takes no code from a cache that was made with other flags than it runs with, and Node's own modules
 * come with such a cache: with these flags from the start they would be compiled anew, for 40 ms of it.
 */
const exposeCollector = (): NodeJS.GCFunction => {
  // the old generation may grow by half before it is collected: a busy service grows to 200 MB without, of which it uses 13
  setFlagsFromString("--heap-growing-percent=50")
  // Each time V8 collects by itself brings back more than it gives. Once it has begun it may not be told that none was allowed:
  // it ends the process (`Check failed: state.started_gcs() <= MaxNumberOfGCs()`, src/heap/memory-reducer.cc).
  if (process.uptime() * 1000 < untilReducer) setFlagsFromString("--memory-reducer-gc-count=0")
  setFlagsFromString("--expose-gc")
  return runInNewContext("gc") as NodeJS.GCFunction
}

export const ofThisProcess = (): OwnMemory => {
  let gc: NodeJS.GCFunction | undefined
  let calls: ReturnType<typeof loadCalls> | undefined
  let asked = performance.eventLoopUtilization()
  /** those of `/proc/self/maps` when it was looked which of them are as on disk */
  let looked: ReadonlySet<string> = new Set()
  let unchanged: ReadonlyArray<Mapping> = []
  return {
    prepare: () => void (gc = exposeCollector()),
    occupied: () => {
      const status = readFileSync("/proc/self/status", "latin1")
      return { anonymous: kilobytesOf(status, "RssAnon") * 1024, files: kilobytesOf(status, "RssFile") * 1024 }
    },
    busy: () => {
      const before = asked
      asked = performance.eventLoopUtilization()
      return performance.eventLoopUtilization(asked, before).utilization
    },
    collect: () => void gc?.({ type: "major", execution: "sync", flavor: "last-resort" }),
    release: Effect.tryPromise(async () => {
      const { madvise, mallocTrim } = await (calls ??= loadCalls())
      mallocTrim(0)
      const present = fileMappings(await readFile("/proc/self/maps", "latin1"))
      // where there are others: the kernel walks all pages for it, 3 to 5 ms, in a thread of libuv's, and what it says becomes
      // a megabyte of garbage
      if ([...present].some((head) => !looked.has(head))) {
        unchanged = unchangedMappings(await readFile("/proc/self/smaps", "latin1"))
        looked = present
      }
      for (const { head, length, start } of unchanged) {
        // refused where memory is locked: it stays
        if (present.has(head)) madvise(start, length, dontNeed)
      }
    })
  }
}

/** Undefined where the process is not the service's alone. */
export const OwnMemory = Context.Reference<OwnMemory | undefined>("camera-service/self/OwnMemory", {
  defaultValue: () => undefined
})

const look = Duration.seconds(3)
/** Ten streams keep the event loop busy for 3 to 4 % of the time here; a smaller machine may take twice that. */
const resting = 0.1
/** Less comes back with the first calls, which compile again what they run. */
const worthwhile = 8 * 2 ** 20
/** Of files alone: nothing is to be compiled, and nobody waits. */
const worthwhileFiles = 4 * 2 ** 20
const apart = Duration.toMillis("10 seconds")
/** What the service does at rest brings pages back within seconds. */
const releasesApart = Duration.toMillis("2 seconds")
const seldom = Duration.toMillis("10 minutes")

const megabytes = (bytes: number): number => Math.round(bytes / 2 ** 20)
const total = ({ anonymous, files }: Occupied): number => anonymous + files

/**
 * Gives memory back when the process has rested for 3 seconds and has 8 MB more than after the last time (4 of files); the
 * first time is after the start. Rest itself brings some of it back, which it needs: each next time is four times as far
 * from the one before, from 2 seconds up to 10 minutes, until there is work again.
 * Nobody waits for a collection: where a call has come within the 3 seconds another is expected, and only what takes 2 ms
 * is done.
 */
export const layer = Layer.effectDiscard(
  Effect.gen(function* () {
    const own = yield* OwnMemory
    if (own === undefined) return
    const calls = yield* Calls
    let callsBefore = 0
    /** of files, since they were last given back */
    let leastFiles = 0
    /** of anonymous memory, since the last collection: the rest may be garbage */
    let leastAnonymous = 0
    /** milliseconds until the next time; 0: it was not given back since there was work */
    let pause = 0
    let lastCollection = -Infinity
    let lastRelease = -Infinity
    let canRelease = true

    const release = own.release.pipe(
      Effect.catch(({ cause }) => {
        canRelease = false
        return Effect.logWarning("the system is not asked to take memory back", cause)
      })
    )

    const check = Effect.gen(function* () {
      const isResting = own.busy() < resting
      const isCalled = calls.count > callsBefore
      callsBefore = calls.count
      const before = own.occupied()
      // V8 goes on giving back for some seconds
      leastFiles = Math.min(leastFiles, before.files)
      leastAnonymous = Math.min(leastAnonymous, before.anonymous)
      const grown = before.anonymous - leastAnonymous
      const grownFiles = before.files - leastFiles
      if (!isResting || grown >= worthwhile) pause = 0
      if (!isResting) return
      const now = yield* monotonicMillis
      const isGarbageLikely = grown >= worthwhile / 4 && grown + grownFiles >= worthwhile
      const isCollecting = !isCalled && isGarbageLikely && now - lastCollection >= Math.max(pause, apart)
      const isReleasing = grownFiles >= worthwhileFiles && now - lastRelease >= Math.max(pause, releasesApart)
      if (!isCollecting && !isReleasing) return

      if (isCollecting) {
        own.collect()
        lastCollection = now
        leastAnonymous = own.occupied().anonymous
      }
      if (canRelease) yield* release
      const after = own.occupied()
      lastRelease = now
      leastFiles = after.files
      pause = pause === 0 ? releasesApart : Math.min(pause * 4, seldom)
      yield* Effect.logDebug("memory is given back", {
        from_mb: megabytes(total(before)),
        to_mb: megabytes(total(after)),
        anonymous_mb: megabytes(after.anonymous),
        collected: isCollecting
      })
    })
    yield* Effect.gen(function* () {
      yield* Effect.sleep(look)
      own.prepare()
      return yield* Effect.forever(Effect.andThen(check, Effect.sleep(look)))
    }).pipe(Effect.forkScoped)
  })
)
