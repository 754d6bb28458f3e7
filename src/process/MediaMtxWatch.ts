import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import * as Schedule from "effect/Schedule"
import { monotonicMillis } from "../ground/Time.ts"
import type { MediaMtxApi, MediaMtxError } from "./MediaMtxApi.ts"

/** One that hangs is known after this and `answerTime`: 3 s. */
const askEvery = Duration.seconds(2)
/** It answers within milliseconds. */
const answerTime = Duration.seconds(1)
/** A question for whose answer we waited so long tells nothing of MediaMTX: we had no time to listen. */
const blind = 2 * Duration.toMillis(answerTime)
/** Questions without an answer after which it counts as gone: 12 s where it is ours to start again, 6 s where it is not. */
const patience = { ours: 4, others: 2 }
/** What such a question counts while it works: a small machine has much to do at times, and to start it again is more. */
const working = 1 / 5

// Steps of its start take 10 ms each (measured); a poll costs 0.3 ms.
const startPoll = Duration.millis(15)
/** How often the configuration is looked at: nobody else should be able to change it. */
const configurationPoll = Duration.seconds(30)

/** Both are started at the same time, as a rule. */
const startTime = Duration.toMillis("5 seconds")

/** Waits until `found` succeeds, however long that takes (so there is no failure to die of). */
export const poll = <A, E>(found: Effect.Effect<A, E>) =>
  found.pipe(Effect.retry(Schedule.spaced(startPoll)), Effect.orDie)

/** Looks at one that was started and has not answered yet, at the same pace: 18 s of nothing are enough, or 90 s of work. */
const startPatience = 9

/** Waits for so long as one that was started may take until it answers. */
export const awaitLateness = Effect.fnUntraced(function* (works: Effect.Effect<boolean>) {
  let waited = 0
  // a tenth of a look is none: fifths do not add up to whole ones
  while (waited < startPatience - 0.1) {
    yield* Effect.sleep(askEvery)
    waited += (yield* works) ? working : 1
  }
  return "it has not answered since it was started"
})

/** Waits until its configuration is not any more what it is now. */
export const awaitChange = Effect.fnUntraced(function* (api: MediaMtxApi["Service"]) {
  const configuration = Effect.map(Effect.all([api.global, api.pathDefaults]), (parts) => JSON.stringify(parts))
  const ours = yield* poll(configuration)
  yield* configuration.pipe(
    Effect.option,
    Effect.delay(configurationPoll),
    Effect.repeat({ until: (now) => now._tag === "Some" && now.value !== ours })
  )
})

/**
 * Waits until MediaMTX, which the operator runs, answers; `told`: why it has not for 5 s, each time that it is another reason.
 */
export const awaitOperators = Effect.fnUntraced(function* (
  api: MediaMtxApi["Service"],
  told: (detail: string) => Effect.Effect<void>
) {
  const since = yield* monotonicMillis
  let last: string | undefined
  const tell = Effect.fnUntraced(function* (error: MediaMtxError) {
    const detail = error._tag === "MediaMtxRefused" ? `it refuses us: ${error.detail}` : error.detail
    if (detail === last || (yield* monotonicMillis) - since < startTime) return
    last = detail
    yield* told(detail)
  })
  return yield* Effect.retry(Effect.tapError(api.info, tell), Schedule.spaced(askEvery)).pipe(Effect.orDie)
})

/** It has not answered: it does nothing, as one that was stopped or waits for ever; or works, or waits for a CPU to. */
export type Silence = "idle" | "working"

interface Watched {
  /** it is our child: its process tells when it ends */
  readonly isOurs: boolean
  /** when this run began, by which it is told from others where it is not our child */
  readonly started: string
  /** whether its process works; false where that is not known */
  readonly works: Effect.Effect<boolean>
  /** what it does instead of an answer, each time that it is another thing; undefined: it answers again */
  readonly told: (silence: Silence | undefined) => Effect.Effect<void>
}

/** Waits until MediaMTX does not answer any more, or another run of it does, and says which. */
export const awaitLoss = Effect.fnUntraced(function* (
  api: MediaMtxApi["Service"],
  { isOurs, started, told, works }: Watched
) {
  const most = isOurs ? patience.ours : patience.others
  const run = isOurs ? Effect.as(api.answers, started) : Effect.map(api.info, (info) => info.started)
  let missed = 0
  let last: Silence | undefined
  const tell = Effect.fnUntraced(function* (silence: Silence | undefined) {
    if (silence !== last) yield* told(silence)
    last = silence
  })
  while (missed < most) {
    yield* Effect.sleep(askEvery)
    const asked = yield* monotonicMillis
    const answer = yield* Effect.result(Effect.timeoutOption(run, answerTime))
    // nobody listens any more
    if (Result.isFailure(answer) && !isOurs) break
    const found = Result.getOrElse(answer, () => Option.none())
    if (Option.isSome(found)) {
      if (found.value !== started) return "it was started again"
      yield* tell(undefined)
      missed = 0
    } else if ((yield* monotonicMillis) - asked < blind) {
      const silence = (yield* works) ? "working" : "idle"
      missed += silence === "working" ? working : 1
      yield* tell(silence)
    }
  }
  return "its API does not answer"
})
