import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type { KoffiFunc } from "koffi"
import { performance } from "node:perf_hooks"

/*
 * V8 and the C library keep what a burst of work took, for the next one. A box that stands for months has other uses for
 * it: once this process has grown, and rests, it gives back what it does not need.
 */

export interface OwnMemory {
  /** bytes of memory that the process occupies (RSS) */
  readonly resident: () => number
  /** the share of the time since it was last asked that the event loop was busy, 0 to 1 */
  readonly busy: () => number
  /** the most thorough collection that V8 has; everything waits for it (30 to 50 ms of a CPU at 3 GHz) */
  readonly collect: () => void
  /** the C library gives back what was freed (malloc_trim(3), 1 to 3 ms); rejects where it cannot be called */
  readonly trim: () => Promise<void>
}

/** Of the C library that Node itself runs on. */
const loadTrim = async () => {
  const { load } = await import("koffi")
  return load(null).func("int malloc_trim(size_t pad)") as KoffiFunc<(pad: number) => number>
}

const ofThisProcess = (): OwnMemory | undefined => {
  const { gc } = globalThis
  if (gc === undefined) return undefined
  let mallocTrim: ReturnType<typeof loadTrim> | undefined
  let asked = performance.eventLoopUtilization()
  return {
    resident: process.memoryUsage.rss,
    busy: () => {
      const before = asked
      asked = performance.eventLoopUtilization()
      return performance.eventLoopUtilization(asked, before).utilization
    },
    collect: () => gc({ type: "major", execution: "sync", flavor: "last-resort" }),
    trim: async () => {
      const trim = await (mallocTrim ??= loadTrim())
      trim(0)
    }
  }
}

/** A test puts its own there; undefined where V8 runs without `--expose-gc`, which scripts/camera-service starts it with. */
export const OwnMemory = Context.Reference<OwnMemory | undefined>("camera-service/process/OwnMemory", {
  defaultValue: ofThisProcess
})

const look = Duration.seconds(5)
/** Ten streams keep the event loop busy for 3 to 4 % of the time. */
const resting = 0.05
/** Less comes back with the first calls, which compile again what they run. */
const worthwhile = 8 * 2 ** 20
const apart = Duration.toMillis("30 seconds")

const megabytes = (bytes: number): number => Math.round(bytes / 2 ** 20)

/**
 * Gives memory back when the process has rested for 5 seconds and has 8 MB more than after it last did so, at most every
 * 30 seconds. The first time is after the start, which leaves a tenth of what it took.
 */
export const layer = Layer.effectDiscard(
  Effect.gen(function* () {
    const own = yield* OwnMemory
    if (own === undefined) return
    let needed = 0
    let last = -Infinity
    let canTrim = true

    const trim = Effect.tryPromise(own.trim).pipe(
      Effect.catch(({ cause }) => {
        canTrim = false
        return Effect.logWarning("the C library is not asked to give memory back", cause)
      })
    )

    const check = Effect.gen(function* () {
      const isResting = own.busy() < resting
      const resident = own.resident()
      // V8 goes on giving back for some seconds
      needed = Math.min(needed, resident)
      const now = yield* Clock.currentTimeMillis
      if (!isResting || resident - needed < worthwhile || now - last < apart) return
      own.collect()
      // after the start that is half a megabyte, and what calls it takes three
      if (needed > 0 && canTrim) yield* trim
      last = now
      needed = own.resident()
      yield* Effect.logDebug("memory is given back", { from_mb: megabytes(resident), to_mb: megabytes(needed) })
    })
    yield* Effect.forkScoped(Effect.forever(Effect.andThen(Effect.sleep(look), check)))
  })
)
