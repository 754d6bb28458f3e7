import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Metric from "effect/Metric"
import * as SubscriptionRef from "effect/SubscriptionRef"
import { version } from "../config/Version.ts"
import { Machine } from "../ground/Machine.ts"
import { moments } from "../ground/Time.ts"
import { Health } from "../health/Health.ts"
import { ProgramMemory } from "../health/ProgramMemory.ts"
import { MediaMtx } from "../process/MediaMtx.ts"
import { troubleOf } from "../process/MediaMtxTrouble.ts"
import { EventLoop } from "../self/EventLoop.ts"
import { DiskGuard } from "../storage/DiskGuard.ts"
import { Status } from "../stream/Status.ts"
import { Streams } from "../stream/Streams.ts"
import {
  anonymousMemory,
  clockTime,
  ffmpegMemory,
  fibers,
  LiveFibers,
  loopDelayMax,
  loopDelayP99,
  mediaMtxMemory,
  mediaMtxRuns,
  mediaMtxUp,
  observe,
  observeTotal,
  processorTime,
  residentMemory,
  serviceInfo,
  startTime,
  storageFree,
  storageSize,
  storageUp,
  streams as streamsIn
} from "../telemetry/Metrics.ts"

/** By the names that the metric has for them. */
const streamStates = { starting: "STARTING", ready: "ACTIVE", failing: "ERROR", stopping: "STOPPING" } as const

/** The metrics that are what is the case when they are asked for. */
export const layer = Layer.effectDiscard(
  Effect.gen(function* () {
    const machine = yield* Machine
    const { state } = yield* MediaMtx
    const streams = yield* Streams
    const status = yield* Status
    const disk = yield* DiskGuard
    const loop = yield* EventLoop
    const memory = yield* ProgramMemory
    const live = yield* LiveFibers
    const { startedAt } = yield* Health
    const moment = yield* moments

    yield* Metric.update(serviceInfo(version), 1)
    yield* Metric.update(startTime, startedAt.wall / 1000)
    yield* observe(clockTime, () => moment().wall / 1000)
    yield* observe(mediaMtxUp, () => (troubleOf(SubscriptionRef.getUnsafe(state)) === undefined ? 1 : 0))
    yield* observeTotal(mediaMtxRuns, () => SubscriptionRef.getUnsafe(state).generation)
    for (const [word, state] of Object.entries(streamStates)) {
      yield* observe(
        streamsIn(word),
        () => streams.all().filter(({ name }) => status.stateOf(name).state === state).length
      )
    }
    // not a number until it is known
    yield* observe(storageFree, () => disk.now()?.available ?? NaN)
    yield* observe(storageSize, () => disk.now()?.total ?? NaN)
    yield* observe(storageUp, () => (disk.unusable() === undefined ? 1 : 0))
    yield* observe(residentMemory, () => machine.memory().resident)
    yield* observe(mediaMtxMemory, () => memory.mediaMtx() ?? NaN)
    yield* observe(ffmpegMemory("other"), memory.others)
    yield* observe(anonymousMemory, () => machine.memory().anonymous)
    yield* observeTotal(processorTime, machine.processorSeconds)
    yield* observe(loopDelayMax, () => loop.delay().max)
    yield* observe(loopDelayP99, () => loop.delay().p99)
    yield* observe(fibers, () => live.count)
  })
)
