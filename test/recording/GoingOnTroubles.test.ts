import { assert, describe, it } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type { RecordingFact } from "../../src/recording/Recording.ts"
import { Recordings } from "../../src/recording/Recordings.ts"
import { TestGround } from "../../testing/TestGround.ts"
import { record, start, stop } from "../suites/recordings.ts"
import {
  bringMediaMtx,
  dataFolder,
  disturb,
  type FakeApp,
  fakes,
  onFakes,
  onTestGround,
  plugIn,
  runFake,
  takeMediaMtx
} from "../support/App.ts"
import { listening } from "../support/Log.ts"
import { hour, onSettableClock } from "../support/WallClock.ts"
import { afterCrash, crash, facts, goesOn, goesOnWhere, listed, nothingGoesOn, pass } from "./CrashBench.ts"

const megabyte = 1024 ** 2
const wasCutOff = /^the service ended before the recording did(; \d+ s are missing)?$/u

const isStopped = { _tag: "InvalidState", state: "STOPPED" } as const

const of = (told: ReadonlyArray<RecordingFact>, fact: RecordingFact["_tag"]) => told.filter(({ _tag }) => _tag === fact)

/** It waits for longer than for a camera that is away, and goes on when what hinders it is over. */
const outlasts = Effect.fnUntraced(function* <E, R>(
  told: ReadonlyArray<RecordingFact>,
  over: Effect.Effect<unknown, E, R>
) {
  const camera = yield* plugIn()
  yield* pass(25)
  assert.deepEqual(of(told, "RecordingWriting"), [])
  yield* over
  assert.match((yield* goesOn(told)).reason ?? "", wasCutOff)
  assert.deepEqual(of(told, "RecordingFailed"), [])
  assert.lengthOf(of(told, "RecordingStarting"), 1)
  assert.lengthOf((yield* stop(camera)).files, 1)
})

describe("a recording that was cut off", () => {
  fakes.starts("does not go on where that is not wished any more, which the log says once", (run, folder) => {
    const { layer, lines } = listening()
    return Effect.gen(function* () {
      yield* afterCrash(run, folder, yield* crash(run, folder))
      yield* run(
        folder,
        Effect.gen(function* () {
          yield* nothingGoesOn
          const { outside } = (yield* TestGround).disk
          assert.notInclude(new TextDecoder().decode(outside.read(yield* listed)), "camera0")
        }),
        { recording: { resume_after: "nothing" } }
      )
      const said = lines.filter(({ message }) => message.startsWith("recordings that were cut off do not go on"))
      assert.lengthOf(said, 1)
      assert.deepEqual(said[0]?.["cameras"], ["camera0"])
      yield* run(folder, nothingGoesOn)
    }).pipe(Effect.provide(layer))
  })

  fakes.starts("goes on with a disk on which no new one would begin", (run, folder) =>
    goesOnWhere(
      run,
      folder,
      (told) =>
        Effect.gen(function* () {
          const { disk } = yield* TestGround
          disk.outside.write("/ballast", new Uint8Array(4 * megabyte))
          yield* disk.suffer({ name: "small", bytes: 8 * megabyte })
          const other = yield* plugIn(1)
          assert.deepInclude(yield* Effect.flip(start({ camera: other })), { dependency: "storage" })
          yield* plugIn()
          yield* goesOn(told)
        }),
      { storage: { refuse_percent: 10, reserve_mb: 0 } }
    )
  )

  fakes.starts("waits for room where only the reserve is left, and says so once", (run, folder) =>
    goesOnWhere(
      run,
      folder,
      (told) =>
        Effect.gen(function* () {
          const { disk } = yield* TestGround
          disk.outside.write("/ballast", new Uint8Array(4 * megabyte))
          const full = yield* disk.suffer({ name: "small", bytes: 5 * megabyte - 1 })
          // who watches its room has looked since
          yield* pass(6)
          yield* outlasts(told, full.takeBack)
          assert.deepEqual(
            of(told, "RecordingTroubled").map(({ reason }) => reason),
            ["only the reserve of 1 MB is left on the disk: a recording goes on when 2 MB are free"]
          )
        }),
      { storage: { refuse_percent: 100, reserve_mb: 1 }, recording: { resume_seconds: 15 } }
    )
  )

  fakes.starts("waits for a camera with a fault, however long", (run, folder) =>
    goesOnWhere(
      run,
      folder,
      (told) =>
        Effect.gen(function* () {
          yield* disturb({ neverReady: true })
          yield* outlasts(told, disturb({ neverReady: false }))
          assert.isAtLeast(of(told, "RecordingTroubled").length, 1)
        }),
      { streams: { start_timeout_seconds: 2 }, recording: { resume_seconds: 15 } }
    )
  )

  fakes.starts("waits for a MediaMTX that takes long to come", (run, folder) =>
    goesOnWhere(
      run,
      folder,
      (told) =>
        Effect.gen(function* () {
          yield* takeMediaMtx
          yield* outlasts(told, bringMediaMtx)
          assert.include(
            of(told, "RecordingTroubled").map(({ reason }) => reason),
            "MediaMTX is not running"
          )
        }),
      { recording: { resume_seconds: 15 } }
    )
  )

  fakes.starts("does not go on after a stop that came while it waited for its turn", (run, folder) =>
    goesOnWhere(run, folder, (told) =>
      Effect.gen(function* () {
        assert.deepInclude(yield* Effect.flip(stop("camera0")), isStopped)
        const camera = yield* plugIn()
        const goesOnAfter = { reason: "the service ended before the recording did", at: undefined }
        assert.deepInclude(yield* Effect.flip(start({ camera, goesOnAfter })), isStopped)
        yield* pass(5)
        assert.deepEqual(told, [])
      })
    )
  )

  onFakes(
    "is not given up while it is recorded",
    Effect.gen(function* () {
      const { outside } = (yield* TestGround).disk
      const recordings = yield* Recordings
      const camera = yield* plugIn()
      yield* record(yield* start({ camera }))
      const told = yield* facts
      yield* recordings.giveUp(camera, "its camera did not come in time", "RecordingFailed")
      yield* pass(1)
      assert.deepEqual(told, [])
      assert.include(new TextDecoder().decode(outside.read(yield* listed)), camera)
      assert.isTrue(recordings.now().has(camera))
    })
  )
})

describe("a recording for a while that was cut off on a box without a battery for its clock", () => {
  /** It goes on with a clock that is behind by an hour, after 40 s of the 60 s that it was to last. */
  const goesOnBehind = <E>(
    body: (
      told: ReadonlyArray<RecordingFact>,
      setClock: (by: number) => void
    ) => Effect.Effect<void, E, FakeApp | Scope.Scope>
  ) =>
    onSettableClock((setClock) =>
      Effect.gen(function* () {
        setClock(24 * hour)
        yield* afterCrash(
          runFake,
          dataFolder,
          yield* crash(runFake, dataFolder, { duration: Duration.seconds(60), format: "fmp4" }, 40)
        )
        setClock(-hour)
        yield* runFake(
          dataFolder,
          Effect.gen(function* () {
            const told = yield* facts
            yield* plugIn()
            yield* goesOn(told)
            yield* body(told, setClock)
          })
        )
      })
    ).pipe(onTestGround)

  it.effect("lasts no longer than it had left when that was last known", () =>
    goesOnBehind((told) =>
      Effect.gen(function* () {
        yield* pass(25)
        assert.lengthOf(of(told, "RecordingEnded"), 1)
      })
    )
  )

  it.effect("ends when the clock is set, where its time is over by that", () =>
    goesOnBehind((told, setClock) =>
      Effect.gen(function* () {
        yield* pass(2)
        assert.deepEqual(of(told, "RecordingEnded"), [])
        setClock(2 * hour)
        yield* pass(6)
        assert.deepEqual(
          of(told, "RecordingEnded").map(({ reason }) => reason),
          ["its duration is over"]
        )
      })
    )
  )
})
