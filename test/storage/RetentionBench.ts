import { it } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Scope from "effect/Scope"
import * as TestClock from "effect/testing/TestClock"
import { join } from "node:path"
import { Settings } from "../../src/config/Settings.ts"
import { FileIndex } from "../../src/storage/FileIndex.ts"
import { Holds } from "../../src/storage/Holds.ts"
import { fileName, type FileKind } from "../../src/storage/Names.ts"
import { Retention, type RetentionFact } from "../../src/storage/Retention.ts"
import { step } from "../../testing/PassingTime.ts"
import { MemoryDisk } from "../../testing/MemoryDisk.ts"
import { listening } from "../support/Log.ts"
import { testSettings } from "../support/TestSettings.ts"
import { jpeg, memoryGround, storage } from "./Workbench.ts"

export const root = "/data"
export const day = 86_400_000
export const start = Date.UTC(2026, 0, 2)
export const gigabytes = (bytes: number) => bytes / 1024 ** 3

/** A run of the service on the ground's disk, with these settings of storage, until the scope (or `stop`) ends it. */
export const started = Effect.fnUntraced(function* (keys: Readonly<Record<string, unknown>> = {}) {
  const settings = Layer.sync(Settings, () => testSettings({ data_dir: root, storage: keys }))
  const scope = yield* Scope.make()
  yield* Effect.addFinalizer((exit) => Scope.close(scope, exit))
  const { layer: logs, lines } = listening()
  const room = storage(root, settings).pipe(Layer.provideMerge(logs))
  const context = yield* Layer.buildWithScope(room, scope)
  const index = Context.get(context, FileIndex)
  const retention = Context.get(context, Retention)
  yield* index.reconcile
  const facts: Array<RetentionFact> = []
  yield* retention.facts.follow((fact) => Effect.sync(() => facts.push(fact)))
  const { cleanUp, setPolicy } = retention
  return {
    index,
    retention,
    cleanUp,
    setPolicy,
    facts,
    /** how often it was told that files stay for now */
    doubts: () =>
      lines.filter(({ message }) => message === "files are not deleted for their age yet: the clock may be wrong")
        .length,
    holds: Context.get(context, Holds),
    stop: Scope.close(scope, Exit.void)
  }
})

const folders = { recording: "recordings", snapshot: "snapshots" } as const

/** A file of so many bytes that was last written on this day after `start`. */
export const put = Effect.fnUntraced(function* (
  camera: string,
  dayNumber: number,
  bytes: number,
  kind: FileKind = "recording"
) {
  const { outside } = yield* MemoryDisk
  yield* TestClock.setTime(start + dayNumber * day)
  const name = fileName(camera, start + dayNumber * day, kind === "recording" ? "mp4" : "jpg")
  const content = new Uint8Array(bytes)
  if (kind === "snapshot") content.set(jpeg)
  outside.write(join(root, folders[kind], name), content)
  return name
})

export const left = (kind: FileKind = "recording") =>
  Effect.map(MemoryDisk, ({ outside }) => outside.names(join(root, folders[kind])).toSorted())

/** A minute later, and all that this leads to. */
export const aMinuteLater = Effect.andThen(TestClock.adjust("1 minute"), step)

/** An hour later, when the clock is trusted, and all that this leads to. */
export const anHourLater = Effect.andThen(TestClock.adjust("1 hour"), step)

export const onMemory = <E>(
  name: string,
  body: Effect.Effect<void, E, Layer.Success<typeof memoryGround> | Scope.Scope>
) => it.effect(name, () => Effect.provide(body, memoryGround))

/** The folders are there before the first file is. */
export const folderIsThere = Effect.flatMap(started(), ({ stop }) => stop)
