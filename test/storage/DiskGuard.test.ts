import { assert, describe, it } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import * as SubscriptionRef from "effect/SubscriptionRef"
import * as TestClock from "effect/testing/TestClock"
import { join } from "node:path"
import { Settings } from "../../src/config/Settings.ts"
import { DiskGuard } from "../../src/storage/DiskGuard.ts"
import { Files } from "../../src/storage/Files.ts"
import { MemoryDisk } from "../../testing/MemoryDisk.ts"
import { step } from "../../testing/PassingTime.ts"
import { listening } from "../support/Log.ts"
import { testSettings } from "../support/TestSettings.ts"
import { jpeg, memoryGround, storage } from "./Workbench.ts"

const root = "/data"
const megabyte = 1024 ** 2
const picture = { device: "camera0", bytes: jpeg, width: 1, height: 1, capturedAt: 0 }

/** The guard of a disk with 20 MB on it and a reserve of 1, and what it logs; `fill` has so many percent used five seconds later. */
const bench = Effect.gen(function* () {
  const { outside, suffer } = yield* MemoryDisk
  const { layer: logs, lines } = listening()
  const settings = Layer.sync(Settings, () => testSettings({ data_dir: root, storage: { reserve_mb: 1 } }))
  const context = yield* Layer.build(storage(root, settings).pipe(Layer.provideMerge(logs)))
  outside.write("/ballast", new Uint8Array(20 * megabyte))
  let last = yield* suffer({ name: "small", bytes: 200 * megabyte })
  const fill = Effect.fnUntraced(function* (percent: number) {
    yield* last.takeBack
    last = yield* suffer({ name: "small", bytes: (20 * megabyte * 100) / percent })
    yield* TestClock.adjust("5 seconds")
    yield* step
  })
  return {
    guard: Context.get(context, DiskGuard),
    suffer,
    files: Context.get(context, Files),
    settings: Context.get(context, Settings),
    fill,
    /** there is room, and the guard has not looked since */
    makeRoom: Effect.suspend(() => last.takeBack),
    /** what was logged since it was last asked, of the disk */
    said: () => {
      const texts = lines.splice(0).map(({ message }) => message)
      return texts.filter((text) => text.includes("the disk") && !text.includes("index"))
    }
  }
})

const onMemory = <E>(name: string, body: Effect.Effect<void, E, Layer.Success<typeof memoryGround> | Scope.Scope>) =>
  it.effect(name, () => Effect.provide(body, memoryGround))

describe("the guard of the disk", () => {
  onMemory(
    "tells that the disk can only be read, though nobody writes to it, until it can be written to again",
    Effect.gen(function* () {
      const { fill, guard, suffer } = yield* bench
      yield* fill(20)
      assert.isUndefined(guard.trouble())
      const { takeBack } = yield* suffer({ name: "read-only" })
      yield* fill(20)
      assert.strictEqual(guard.trouble(), "cannot write to the disk: the file system is read-only")
      yield* guard.look
      yield* takeBack
      yield* fill(20)
      assert.isUndefined(guard.trouble())
    })
  )

  onMemory(
    "tells within half a minute of a disk that failed, and says that it may be written to, but wakes none that nobody records to",
    Effect.gen(function* () {
      const { guard, suffer } = yield* bench
      const { takeBack } = yield* suffer({ name: "failed" })
      yield* TestClock.adjust("2 minutes")
      yield* step
      assert.isUndefined(guard.unusable())
      yield* guard.follow(() => undefined)
      yield* TestClock.adjust("30 seconds")
      yield* step
      assert.strictEqual(guard.unusable(), "cannot write to the disk: the file system is read-only")
      assert.strictEqual(guard.trouble(), guard.unusable())
      yield* takeBack
      yield* TestClock.adjust("30 seconds")
      yield* step
      assert.isUndefined(guard.trouble())
    })
  )

  onMemory(
    "has recordings wait while the disk is away, where nothing is made, and makes missing folders again",
    Effect.gen(function* () {
      const { outside } = yield* MemoryDisk
      const { files, fill, guard, said, suffer } = yield* bench
      const told: Array<string | undefined> = []
      yield* guard.follow((reason) => told.push(reason))
      yield* fill(20)
      said()
      const { takeBack } = yield* suffer({ name: "away", at: root })
      outside.remove(root)
      yield* fill(20)
      const detail = "the data folder is gone: its disk was unmounted or taken out"
      assert.strictEqual(told.at(-1), detail)
      assert.include(guard.unusable(), detail)
      assert.deepInclude(yield* Effect.flip(guard.admitRecording), { dependency: "storage", detail })
      assert.deepInclude(yield* Effect.flip(files.saveSnapshot({ ...picture, filename: "a.jpg" })), { detail })
      assert.notInclude(outside.names("/"), root.slice(1))
      yield* takeBack
      outside.makeFolder(root)
      yield* fill(20)
      assert.isUndefined(told.at(-1))
      assert.isUndefined(guard.trouble())
      yield* files.saveSnapshot({ ...picture, filename: "b.jpg" })
    })
  )

  onMemory(
    "looks every two seconds while there are recordings",
    Effect.gen(function* () {
      const { fill, guard, suffer } = yield* bench
      yield* guard.follow(() => undefined)
      yield* fill(20)
      yield* suffer({ name: "read-only" })
      yield* TestClock.adjust("2 seconds")
      yield* step
      assert.isDefined(guard.trouble())
    })
  )

  onMemory(
    "warns once where 80 % is used, and again only after there was more room",
    Effect.gen(function* () {
      const { fill, said } = yield* bench
      yield* fill(79)
      assert.deepEqual(said(), [])
      yield* fill(81)
      yield* fill(82)
      yield* fill(79.9)
      yield* fill(81)
      assert.deepEqual(said(), ["the disk is getting full"])
      yield* fill(50)
      yield* fill(85)
      assert.deepEqual(said(), ["there is more room on the disk again", "the disk is getting full"])
    })
  )

  onMemory(
    "admits no new recording where 90 % is used, at once, and says what to do",
    Effect.gen(function* () {
      const { fill, guard } = yield* bench
      yield* fill(89)
      yield* guard.admitRecording
      yield* fill(91)
      const refusal = yield* Effect.flip(guard.admitRecording)
      assert.deepInclude(refusal, {
        _tag: "DependencyFailed",
        dependency: "storage",
        suggestion: "delete recordings or snapshots, or clean up old files now (cleanup_old_files)"
      })
      assert.match(refusal.detail, /^9\d(\.\d+)? % of the disk is used: from 90 % on no recording begins$/)
      yield* fill(89)
      yield* guard.admitRecording
    })
  )

  onMemory(
    "has recordings wait and keeps no snapshot where only the reserve is left, until twice as much is free",
    Effect.gen(function* () {
      const { files, fill, guard } = yield* bench
      const told: Array<string | undefined> = []
      yield* guard.follow((reason) => told.push(reason))
      yield* fill(94)
      yield* files.saveSnapshot({ ...picture, filename: "a.jpg" })
      yield* fill(96)
      const reason = "only the reserve of 1 MB is left on the disk: a recording goes on when 2 MB are free"
      assert.deepEqual(told, [undefined, undefined, undefined, reason].slice(-told.length))
      assert.strictEqual((yield* Effect.flip(guard.admitRecording)).detail, reason)
      assert.deepInclude(yield* Effect.flip(files.saveSnapshot({ ...picture, filename: "b.jpg" })), {
        _tag: "DependencyFailed",
        detail: "only the reserve of 1 MB is left on the disk"
      })
      yield* fill(92)
      assert.strictEqual(told.at(-1), reason)
      yield* fill(89)
      assert.isUndefined(told.at(-1))
      yield* files.saveSnapshot({ ...picture, filename: "b.jpg" })
    })
  )

  onMemory(
    "keeps a snapshot as soon as there is room again",
    Effect.gen(function* () {
      const { files, fill, makeRoom } = yield* bench
      yield* fill(96)
      yield* makeRoom
      yield* files.saveSnapshot({ ...picture, filename: "a.jpg" })
    })
  )

  onMemory(
    "refuses a snapshot within a second where the disk does not say whether there is room again",
    Effect.gen(function* () {
      const { files, fill } = yield* bench
      const { suffer } = yield* MemoryDisk
      yield* fill(96)
      yield* suffer({ name: "hung", calls: ["space"] })
      const saving = yield* Effect.forkChild(Effect.flip(files.saveSnapshot({ ...picture, filename: "a.jpg" })))
      yield* TestClock.adjust("1 second")
      yield* step
      assert.strictEqual(saving.pollUnsafe()?._tag, "Success")
    })
  )

  onMemory(
    "goes by limits that change while it runs",
    Effect.gen(function* () {
      const { fill, guard, settings } = yield* bench
      yield* fill(60)
      yield* SubscriptionRef.update(settings.live, (live) => ({
        ...live,
        storage: { ...live.storage, refuse_percent: 50 }
      }))
      assert.match((yield* Effect.flip(guard.admitRecording)).detail, /from 50 % on/)
    })
  )

  onMemory(
    "waits a second for a disk that does not answer, asks it once, and stands in nobody's way",
    Effect.gen(function* () {
      const { guard } = yield* bench
      const { suffer } = yield* MemoryDisk
      const hung = yield* suffer({ name: "hung", calls: ["space"], at: join(root, "recordings") })
      const asked = yield* Effect.forkChild(
        Effect.all([Effect.flip(guard.look), guard.admitRecording], { concurrency: 2 })
      )
      yield* hung.met
      yield* TestClock.adjust("1 second")
      yield* step
      const exit = asked.pollUnsafe()
      assert.strictEqual(exit?._tag, "Success")
      yield* hung.takeBack
      yield* guard.look
    })
  )
})
