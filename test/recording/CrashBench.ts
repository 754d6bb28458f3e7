import { assert } from "@effect/vitest"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { join } from "node:path"
import type { RecordingFact, RecordingRequest } from "../../src/recording/Recording.ts"
import { Recordings } from "../../src/recording/Recordings.ts"
import { DataFolder } from "../../src/storage/DataFolder.ts"
import { TestGround } from "../../testing/TestGround.ts"
import { record, start } from "../suites/recordings.ts"
import { type FakeApp, plugIn, type RunIn } from "../support/App.ts"
import { Ground, until } from "../support/Ground.ts"

export const listed = Effect.map(DataFolder, ({ root }) => join(root, "unfinished_recordings.json"))

/** A run in which a camera is recorded, and that ends as a crash would have it: what is under way stays written down. */
export const crash = Effect.fnUntraced(function* <Below>(
  run: RunIn<FakeApp, Below>,
  folder: string,
  request: Omit<RecordingRequest, "camera"> = {},
  seconds = 0
) {
  const text = yield* run(
    folder,
    Effect.gen(function* () {
      const { outside } = (yield* TestGround).disk
      yield* record(yield* start({ camera: yield* plugIn(), format: "mpegts", ...request }))
      yield* pass(seconds)
      return outside.read(yield* listed)
    })
  )
  return Effect.gen(function* () {
    const { outside } = (yield* TestGround).disk
    const path = yield* listed
    outside.remove(path)
    outside.write(path, text)
  })
})

/** The text is put back before the service reads it. */
export const afterCrash = Effect.fnUntraced(function* <Below>(
  run: RunIn<FakeApp, Below>,
  folder: string,
  restore: Effect.Effect<void, never, FakeApp>
) {
  yield* run(folder, restore, { recording: { resume_after: "restart" } })
})

export const facts = Effect.gen(function* () {
  const told: Array<RecordingFact> = []
  yield* (yield* Recordings).facts.follow((fact) => Effect.sync(() => told.push(fact)))
  return told
})

/** What is seen after the crash of a recording. `told`: what is told of recordings from then on. */
export const goesOnWhere = Effect.fnUntraced(function* <Below>(
  run: RunIn<FakeApp, Below>,
  folder: string,
  body: (told: ReadonlyArray<RecordingFact>) => Effect.Effect<void, unknown, FakeApp | Scope.Scope>,
  settings?: Parameters<RunIn<FakeApp, Below>>[2]
) {
  yield* afterCrash(run, folder, yield* crash(run, folder))
  yield* run(folder, Effect.flatMap(facts, body), settings)
})

export const goesOn = (told: ReadonlyArray<RecordingFact>) =>
  until(
    "it goes on",
    Effect.sync(() => told.find(({ _tag }) => _tag === "RecordingWriting"))
  )

export const pass = Effect.fnUntraced(function* (seconds: number) {
  const { step } = yield* Ground
  for (let i = 0; i < seconds * 50; i++) yield* step
})

export const nothingGoesOn = Effect.gen(function* () {
  const told = yield* facts
  yield* plugIn()
  yield* pass(5)
  assert.deepEqual(told, [])
})
