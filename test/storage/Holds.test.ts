import { assert, describe, it } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Scope from "effect/Scope"
import { Files } from "../../src/storage/Files.ts"
import { Holds, type Use } from "../../src/storage/Holds.ts"
import { jpeg, storageAt, temporaryFolder } from "./Workbench.ts"

/** A folder with one snapshot, `door.jpg`. */
const bench = Effect.gen(function* () {
  const context = yield* Layer.build(storageAt(yield* temporaryFolder))
  const files = Context.get(context, Files)
  const holds = Context.get(context, Holds)
  const picture = { device: "camera1", bytes: jpeg, width: 1, height: 1, capturedAt: 0 }
  yield* files.saveSnapshot({ ...picture, filename: "door.jpg" })
  /** until the scope that it gives is closed */
  const held = Effect.fnUntraced(function* (use: Use) {
    const scope = yield* Scope.make()
    yield* Scope.provide(holds.hold("snapshot", "door.jpg", use), scope)
    return Scope.close(scope, Exit.void)
  })
  return { files, holds, held, refused: Effect.flip(files.delete("snapshot", "door.jpg")) }
})

describe("a held file", () => {
  it.effect("is deleted only when the last one has let it go, and the first one's use is told", () =>
    Effect.gen(function* () {
      const { files, held, refused } = yield* bench
      const recorded = yield* held("RECORDING")
      const first = yield* held("DOWNLOADING")
      const second = yield* held("DOWNLOADING")
      assert.deepInclude(yield* refused, { _tag: "InvalidState", state: "RECORDING", allowed_states: ["STOPPED"] })
      yield* recorded
      yield* first
      assert.deepInclude(yield* refused, { _tag: "InvalidState", state: "DOWNLOADING", allowed_states: ["FREE"] })
      yield* second
      assert.strictEqual((yield* files.delete("snapshot", "door.jpg")).filename, "door.jpg")
    })
  )

  it.effect("is another one than a file of this name that is of the other kind", () =>
    Effect.gen(function* () {
      const { files, holds } = yield* bench
      yield* holds.hold("recording", "door.jpg", "REMUXING")
      yield* files.delete("snapshot", "door.jpg")
    })
  )
})

describe("a file that is being deleted", () => {
  it.effect("can be neither held nor deleted again; when it could not be deleted it can", () =>
    Effect.gen(function* () {
      const { holds } = yield* bench
      const disk = yield* Deferred.make<never, string>()
      const deletion = yield* Effect.forkChild(holds.whileFree("snapshot", "door.jpg", Deferred.await(disk)), {
        startImmediately: true
      })
      const hold = Effect.scoped(holds.hold("snapshot", "door.jpg", "DOWNLOADING"))
      const gone = { _tag: "NotFound", resource: "snapshot", id: "door.jpg" } as const
      assert.deepInclude(yield* Effect.flip(hold), gone)
      assert.deepInclude(yield* Effect.flip(holds.whileFree("snapshot", "door.jpg", Effect.void)), gone)
      yield* Deferred.fail(disk, "it failed")
      assert.strictEqual(yield* Effect.flip(Fiber.join(deletion)), "it failed")
      yield* hold
      yield* holds.whileFree("snapshot", "door.jpg", Effect.void)
    })
  )
})
