import { assert, describe, it } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
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
import type { MediaMtxState } from "../../src/process/MediaMtxStates.ts"
import { MediaMtxCertificate } from "../../src/process/MediaMtxCertificate.ts"
import { MediaMtxApi, MediaMtxUnavailable } from "../../src/process/MediaMtxApi.ts"
import * as QuietMachine from "../../testing/QuietMachine.ts"
import { key } from "../support/Key.ts"
import { fakeSpawner } from "../support/Spawners.ts"
import { testSettings } from "../support/TestSettings.ts"

const silent = Effect.fail(new MediaMtxUnavailable({ detail: "connect ECONNREFUSED" }))

/** A MediaMTX whose process and API are the test's: `answer` is the run that the API tells, `false` that it hangs. */
const bench = Effect.fnUntraced(function* (managed: boolean) {
  const { layer, started } = yield* fakeSpawner
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
  return {
    fatal,
    started,
    /** The next process, however long it takes until it is started. */
    startedAgain: TestClock.adjust("100 millis").pipe(
      Effect.andThen(Queue.size(started)),
      Effect.repeat({ until: (count) => count > 0 }),
      Effect.andThen(Queue.take(started))
    ),
    set: (now: typeof answer, its = "v1.21.0") => {
      answer = now
      version = its
    },
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
    /** The next state of this kind. */
    next: (tag: MediaMtxState["_tag"]) => Queue.take(states).pipe(Effect.repeat({ until: ({ _tag }) => _tag === tag })),
    /** How many states have come that the test has not taken. */
    waiting: Queue.size(states)
  }
})

describe("our MediaMTX", () => {
  it.effect("is told how much memory it may have before it works to need less", () =>
    Effect.gen(function* () {
      const { started } = yield* bench(true)
      assert.deepInclude((yield* Queue.take(started)).env, { GOMEMLIMIT: "256MiB", TZ: "UTC" })
    })
  )

  it.effect("is replaced when it is there but does not answer", () =>
    Effect.gen(function* () {
      const { next, set, started } = yield* bench(true)
      yield* Queue.take(started)
      set("1")
      yield* TestClock.adjust("15 millis")
      assert.strictEqual((yield* next("Running")).generation, 1)
      set(false)
      yield* TestClock.adjust("12 seconds")
      assert.strictEqual((yield* next("Stopped")).detail, "its API does not answer")
      yield* Queue.take(started)
      set("2")
      yield* TestClock.adjust("6 seconds")
      assert.strictEqual((yield* next("Running")).generation, 2)
    })
  )

  it.effect.each([
    [false, 17, 19],
    [true, 85, 95]
  ] as const)("that has never answered (it works: %s) is waited for, and started anew", ([isBusy, waited, over]) =>
    Effect.gen(function* () {
      const { next, set, started, work } = yield* bench(true)
      work(isBusy)
      yield* Queue.take(started)
      yield* TestClock.adjust(waited * 1000)
      assert.strictEqual(yield* Queue.size(started), 0)
      yield* TestClock.adjust((over - waited) * 1000)
      assert.strictEqual((yield* next("Stopped")).detail, "it has not answered since it was started")
      yield* TestClock.adjust("1 second")
      yield* Queue.take(started)
      set("1")
      yield* TestClock.adjust("15 millis")
      assert.strictEqual((yield* next("Running")).generation, 1)
    })
  )

  it.effect("that works, and has no time to answer, is not replaced for a minute", () =>
    Effect.gen(function* () {
      const { next, set, started, work } = yield* bench(true)
      yield* Queue.take(started)
      set("1")
      yield* TestClock.adjust("15 millis")
      yield* next("Running")
      set(false)
      work(true)
      yield* TestClock.adjust("50 seconds")
      assert.strictEqual((yield* next("Running")).silence, "working")
      assert.strictEqual(yield* Queue.size(started), 0)
      yield* TestClock.adjust("20 seconds")
      assert.strictEqual((yield* next("Stopped")).detail, "its API does not answer")
    })
  )

  it.effect("that is slow once is left in peace", () =>
    Effect.gen(function* () {
      const { set, started } = yield* bench(true)
      yield* Queue.take(started)
      set("1")
      yield* TestClock.adjust("15 millis")
      for (let i = 0; i < 5; i++) {
        set(false)
        yield* TestClock.adjust("6 seconds")
        set("1")
        yield* TestClock.adjust("6 seconds")
      }
      assert.strictEqual(yield* Queue.size(started), 0)
    })
  )

  it.effect("that somebody has changed the configuration of is started anew, with ours", () =>
    Effect.gen(function* () {
      const { change, next, set, started } = yield* bench(true)
      yield* Queue.take(started)
      set("1")
      yield* TestClock.adjust("15 millis")
      yield* next("Running")
      change()
      yield* TestClock.adjust("30 seconds")
      assert.strictEqual((yield* next("Stopped")).detail, "its configuration was changed")
      yield* Queue.take(started)
    })
  )

  it.effect("is shown no key while another program has its port", () =>
    Effect.gen(function* () {
      const { listen, next, set, started } = yield* bench(true)
      listen(false)
      yield* Queue.take(started)
      set("another's")
      yield* TestClock.adjust("10 seconds")
      listen(true)
      set("ours")
      yield* TestClock.adjust("15 millis")
      assert.strictEqual((yield* next("Running")).generation, 1)
    })
  )

  it.effect("that takes no viewers any more, for want of descriptors, is replaced", () =>
    Effect.gen(function* () {
      const { next, set, started } = yield* bench(true)
      const process = yield* Queue.take(started)
      set("1")
      yield* TestClock.adjust("15 millis")
      yield* next("Running")
      yield* process.say("2026/11/30 10:00:00 WAR [HLS] accept tcp 127.0.0.1:8888: too many open files; retrying\n")
      yield* process.say("2026/11/30 10:00:00 ERR [RTSP] accept tcp 127.0.0.1:8554: accept4: too many open files\n")
      assert.strictEqual((yield* next("Stopped")).detail, "it takes no viewers any more: too many open files")
      yield* TestClock.adjust("1 second")
      yield* Queue.take(started)
      set("2")
      yield* TestClock.adjust("1 second")
      assert.strictEqual((yield* next("Running")).generation, 2)
    })
  )

  it.effect("that ends again and again is started less and less often", () =>
    Effect.gen(function* () {
      const { next, started } = yield* bench(true)
      for (const atLeast of [80, 240, 720, 2160, 4000, 4000]) {
        const process = yield* Queue.take(started)
        yield* process.end(1, { stdout: "ERR: out of luck" })
        const asked = yield* Queue.take(started)
        assert.include(asked.argv, "--version")
        yield* asked.end(0, { stdout: "v1.21.0\n" })
        assert.include((yield* next("Stopped")).detail, "out of luck")
        yield* TestClock.adjust(atLeast - 1)
        assert.strictEqual(yield* Queue.size(started), 0)
        yield* TestClock.adjust(atLeast)
      }
    })
  )
})

describe("our MediaMTX that does not start", () => {
  const lastWords = [
    ["ERR couldn't initialize inotify: too many open files", "raise fs.inotify.max_user_instances (sysctl)"],
    ["ERR no space left on device", "raise fs.inotify.max_user_watches (sysctl)"],
    ["ERR something else", "MediaMTX ended with status 1: ERR something else"]
  ] as const
  for (const [words, told] of lastWords) {
    it.effect(`with "${words}" is said to have ended for it: ${told}`, () =>
      Effect.gen(function* () {
        const { next, started } = yield* bench(true)
        const process = yield* Queue.take(started)
        const time = "2026/11/29 13:20:33"
        yield* process.end(1, { stdout: `${time} ${words}\n${time} INF waiting for running hooks\n` })
        yield* Effect.flatMap(Queue.take(started), (asked) => asked.end(0, { stdout: "v1.21.0\n" }))
        const { detail } = yield* next("Stopped")
        assert.include(detail, words)
        assert.include(detail, told)
      })
    )
  }
})

describe("our MediaMTX that cannot start", () => {
  const port = "2026/11/29 13:20:33 ERR listen tcp 127.0.0.1:8554: bind: address already in use\n"
  const reasons = [
    ["its port is taken", 1, port, 3, "PortInUse", "address already in use"],
    ["its program is not there", 127, "", 1, "ProgramMissing", "mediamtx is missing"]
  ] as const
  for (const [why, status, stdout, tries, tag, told] of reasons) {
    it.effect(`since ${why} is a reason for the service to end`, () =>
      Effect.gen(function* () {
        const { fatal, next, started } = yield* bench(true)
        for (let n = 0; n < tries; n++) {
          yield* Effect.flatMap(Queue.take(started), (process) => process.end(status, { stdout }))
          yield* next("Stopped")
          yield* TestClock.adjust("1 second")
        }
        assert.strictEqual((yield* Effect.flip(fatal))._tag, tag)
      })
    )

    it.effect(`since ${why} is waited for where it has run before`, () =>
      Effect.gen(function* () {
        const { fatal, next, set, started, startedAgain } = yield* bench(true)
        const end = yield* Effect.forkChild(fatal)
        const first = yield* Queue.take(started)
        set("1")
        yield* TestClock.adjust("15 millis")
        yield* next("Running")
        set(undefined)
        yield* first.end(1)
        yield* next("Stopped")
        yield* Effect.flatMap(startedAgain, (process) => process.end(status, { stdout }))
        assert.include((yield* next("Stopped")).detail, told)
        for (let n = 0; n < 4; n++) {
          yield* Effect.flatMap(startedAgain, (process) => process.end(status, { stdout }))
        }
        yield* startedAgain
        set("2")
        yield* TestClock.adjust("15 millis")
        assert.strictEqual((yield* next("Running")).generation, 2)
        assert.isUndefined(end.pollUnsafe())
      })
    )
  }
})

describe("a MediaMTX in whose place an older one was put", () => {
  it.effect("is waited for where it has run before: what does without it goes on", () =>
    Effect.gen(function* () {
      const { fatal, next, set, started, startedAgain, waiting } = yield* bench(true)
      const end = yield* Effect.forkChild(fatal)
      const first = yield* Queue.take(started)
      set("1")
      yield* TestClock.adjust("15 millis")
      yield* next("Running")
      set(undefined)
      yield* first.end(1)
      yield* next("Stopped")
      const older = Effect.gen(function* () {
        yield* Effect.flatMap(startedAgain, (process) => process.end(1, { stdout: "ERR json: unknown field" }))
        yield* Effect.flatMap(startedAgain, (asked) => asked.end(0, { stdout: "v1.19.9\n" }))
      })
      yield* older
      assert.include((yield* next("Stopped")).detail, "is too old (v1.19.9)")
      for (let n = 0; n < 4; n++) yield* older
      yield* startedAgain
      assert.strictEqual(yield* waiting, 0)
      assert.isUndefined(end.pollUnsafe())
      set("2")
      yield* TestClock.adjust("15 millis")
      assert.strictEqual((yield* next("Running")).generation, 2)
    })
  )
})

describe("the operator's MediaMTX", () => {
  it.effect("is waited for, watched, and waited for again", () =>
    Effect.gen(function* () {
      const { next, set, started } = yield* bench(false)
      assert.include((yield* next("Starting")).detail, "no answer yet")
      set("1")
      yield* TestClock.adjust("2 seconds")
      assert.strictEqual((yield* next("Running")).generation, 1)
      set(undefined)
      yield* TestClock.adjust("2 seconds")
      assert.strictEqual((yield* next("Stopped")).detail, "its API does not answer")
      set("1")
      yield* TestClock.adjust("2 seconds")
      assert.strictEqual((yield* next("Running")).generation, 2)
      set("2")
      yield* TestClock.adjust("2 seconds")
      assert.strictEqual((yield* next("Running")).generation, 3)
      assert.strictEqual(yield* Queue.size(started), 0)
    })
  )

  it.effect(
    "that is replaced by one too old is stopped, said once, and looked at less and less often, up to 30 s",
    () => {
      const lines: Array<string> = []
      const logger = Logger.make(({ message }) => void lines.push(JSON.stringify(message)))
      return Effect.gen(function* () {
        const { fatal, next, set, waiting } = yield* bench(false)
        const end = yield* Effect.forkChild(fatal)
        set("1")
        yield* next("Running")
        set("2", "v1.19.9")
        yield* TestClock.adjust("2 seconds")
        assert.strictEqual((yield* next("Stopped")).detail, "it was started again")
        yield* TestClock.adjust("1 second")
        assert.include((yield* next("Stopped")).detail, "is too old (v1.19.9)")
        const said = lines.length
        yield* TestClock.adjust("10 minutes")
        assert.strictEqual(yield* waiting, 0)
        assert.lengthOf(lines, said)
        assert.strictEqual(lines.filter((line) => line.includes("cannot be used")).length, 1)
        set("3")
        yield* TestClock.adjust("30 seconds")
        assert.strictEqual((yield* next("Running")).generation, 2)
        assert.isUndefined(end.pollUnsafe())
      }).pipe(Effect.provide(Logger.layer([logger])))
    }
  )

  it.effect("is told of in the log, once, and in health when it does not answer for 5 s, and runs once it does", () => {
    const lines: Array<string> = []
    const logger = Logger.make(({ message }) => void lines.push(JSON.stringify(message)))
    return Effect.gen(function* () {
      const { next, set } = yield* bench(false)
      yield* next("Starting")
      yield* TestClock.adjust("4 seconds")
      assert.lengthOf(lines, 0)
      yield* TestClock.adjust("4 seconds")
      assert.match((yield* next("Stopped")).detail ?? "", /^its API on 127\.0\.0\.1:\d+: /u)
      yield* TestClock.adjust("60 seconds")
      assert.lengthOf(lines, 1)
      assert.include(lines[0], "mediamtx.api_port")
      set("1")
      yield* TestClock.adjust("2 seconds")
      yield* next("Running")
    }).pipe(Effect.provide(Logger.layer([logger])))
  })
})
