import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Queue from "effect/Queue"
import * as Stream from "effect/Stream"
import * as SubscriptionRef from "effect/SubscriptionRef"
import { TestClock } from "effect/testing"
import { Certificate } from "../../src/config/Certificate.ts"
import { Settings } from "../../src/config/Settings.ts"
import { Disk } from "../../src/ground/Disk.ts"
import { Loopback } from "../../src/ground/Loopback.ts"
import { Machine } from "../../src/ground/Machine.ts"
import { MediaMtx } from "../../src/process/MediaMtx.ts"
import { MediaMtxApi, MediaMtxUnavailable } from "../../src/process/MediaMtxApi.ts"
import { MediaMtxCertificate } from "../../src/process/MediaMtxCertificate.ts"
import type { MediaMtxState } from "../../src/process/MediaMtxStates.ts"
import * as QuietMachine from "../../testing/QuietMachine.ts"
import { key } from "../support/Key.ts"
import { fakeSpawner } from "../support/Spawners.ts"
import { testSettings } from "../support/TestSettings.ts"

const silent = Effect.fail(new MediaMtxUnavailable({ detail: "connect ECONNREFUSED" }))

/** A MediaMTX whose process and API are the test's: `answer` is the run that the API tells, `false` that it hangs. */
export const bench = Effect.fnUntraced(function* (managed: boolean) {
  const { layer, refuse, started } = yield* fakeSpawner
  let answer: string | undefined | false
  let version = "v1.21.0"
  let configuration = "ours"
  let listens = true
  let works = false
  const answering = Effect.suspend(() => {
    if (!listens) return Effect.die("another program was asked")
    if (answer === false) return Effect.delay(silent, "5 seconds")
    return answer === undefined ? silent : Effect.succeed({ version, started: answer })
  })
  const api = Layer.mock(MediaMtxApi, {
    answers: Effect.asVoid(answering),
    info: answering,
    global: Effect.map(answering, () => ({ api: configuration })),
    pathDefaults: Effect.as(answering, {})
  })
  const loopback = Layer.mock(Loopback, { has: () => Effect.sync(() => listens) })
  const settings = Layer.succeed(Settings, testSettings({ mediamtx: { managed } }))
  const machine = Layer.effect(
    Machine,
    Effect.map(Machine, (quiet) => Machine.of({ ...quiet, works: () => Effect.sync(() => works) }))
  ).pipe(Layer.provide(QuietMachine.layer))
  const context = yield* Layer.build(
    MediaMtx.layer.pipe(
      Layer.provide(MediaMtxCertificate.layer),
      Layer.provide([Certificate.layer, key]),
      Layer.provide([layer, api, settings, loopback, machine, Disk.layer])
    )
  )
  const { fatal, state } = Context.get(context, MediaMtx)
  const states = yield* Queue.unbounded<MediaMtxState>()
  yield* SubscriptionRef.changes(state).pipe(
    Stream.runForEach((now) => Queue.offer(states, now)),
    Effect.forkScoped({ startImmediately: true })
  )
  const next = (tag: MediaMtxState["_tag"]) =>
    Queue.take(states).pipe(Effect.repeat({ until: ({ _tag }) => _tag === tag }))
  const set = (now: typeof answer, its = "v1.21.0") => {
    answer = now
    version = its
  }
  return {
    fatal,
    started,
    refuse,
    /** The next process, however long it takes until it is started. */
    startedAgain: TestClock.adjust("100 millis").pipe(
      Effect.andThen(Queue.size(started)),
      Effect.repeat({ until: (count) => count > 0 }),
      Effect.andThen(Queue.take(started))
    ),
    set,
    /** It answers from now on, as this run of it; gives the state once that is known. */
    comesUp: Effect.fnUntraced(function* (run: string) {
      set(run)
      yield* TestClock.adjust("15 millis")
      return yield* next("Running")
    }),
    change: () => {
      configuration = "another's"
    },
    listen: (now: boolean) => {
      listens = now
    },
    /** Whether its process works. */
    work: (now: boolean) => {
      works = now
    },
    next,
    /** How many states have come that the test has not taken. */
    waiting: Queue.size(states)
  }
})
