import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Scope from "effect/Scope"
import { monotonicMillis } from "../../src/ground/Time.ts"
import { FileIndex } from "../../src/storage/FileIndex.ts"
import { durationOnDisk, filesOnDisk, sizeOf } from "../suites/recordings.ts"
import { type FakeApp, dataFolder, onTestGround, runFake } from "../support/App.ts"
import { running, until } from "../support/Ground.ts"

export const emptyFiles = Effect.gen(function* () {
  return yield* Effect.filter(yield* filesOnDisk, (name) => Effect.map(sizeOf(name), (bytes) => bytes === 0))
})

/** Calls that wait for the disk itself; what is known of a folder is in memory. */
export const writing = ["create", "append", "state", "sync"] as const

/** Milliseconds that a service takes to end after this. */
const endOf = Effect.fnUntraced(function* <E>(
  folder: string,
  body: Effect.Effect<void, E, FakeApp | Scope.Scope>,
  overrides = {}
) {
  let over = 0
  const noted = Effect.andThen(
    body,
    Effect.map(monotonicMillis, (now) => {
      over = now
    })
  )
  // cameras stay, and the disk suffers, to the end and after it
  const lasting = yield* Scope.make()
  yield* runFake(folder, Scope.provide(noted, lasting), overrides)
  return (yield* monotonicMillis) - over
})

export const endsInTime = <E>(
  name: string,
  body: Effect.Effect<void, E, FakeApp | Scope.Scope>,
  {
    left = Effect.void,
    overrides = {},
    within
  }: {
    readonly left?: Effect.Effect<void, unknown, FakeApp | Scope.Scope>
    readonly overrides?: Parameters<typeof runFake>[2]
    readonly within: number
  }
) =>
  it.effect(name, () =>
    Effect.gen(function* () {
      assert.isBelow(yield* endOf(dataFolder, body, overrides), within)
      yield* runFake(dataFolder, left)
    }).pipe(onTestGround)
  )

export const allWhole = Effect.gen(function* () {
  const index = yield* FileIndex
  for (const name of yield* filesOnDisk) {
    assert.match(name, /^camera0_/)
    assert.isAbove(yield* durationOnDisk(name), 0)
    assert.isAbove((yield* index.get("recording", name))?.duration ?? 0, 0)
  }
})

/** Also a file that MediaMTX never closed. */
export const allListed = Effect.gen(function* () {
  const index = yield* FileIndex
  const names = yield* filesOnDisk
  assert.lengthOf(names, 6)
  for (const name of names) assert.strictEqual((yield* index.get("recording", name))?.bytes, yield* sizeOf(name))
})

export const remuxing = until(
  "a remux",
  Effect.map(running("remux"), (all) => all.length > 0)
)
