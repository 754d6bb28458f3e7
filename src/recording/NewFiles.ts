import * as Context from "effect/Context"
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Queue from "effect/Queue"
import type * as Scope from "effect/Scope"
import * as Semaphore from "effect/Semaphore"
import { join } from "node:path"
import type { CameraId } from "../../schema/Camera.ts"
import { Devices } from "../device/Devices.ts"
import { Disk } from "../ground/Disk.ts"
import { inotifyAdvice } from "../ground/Inotify.ts"
import { DataFolder } from "../storage/DataFolder.ts"
import { temporaryPrefix } from "../storage/NewFile.ts"
import { FileIndex } from "../storage/FileIndex.ts"
import { Holds } from "../storage/Holds.ts"
import { parseFileName } from "../storage/Names.ts"
import { makeTrouble } from "../telemetry/Trouble.ts"
import { type Follower, forgetOldest, needsLook } from "./FileFollower.ts"
import { makeOtherFiles } from "./OtherFiles.ts"

/** What MediaMTX writes itself; other extensions are made of these here. */
const writtenExtensions = new Set(["mp4", "ts"])
/** How often the folder is read where it cannot be watched: a hundred thousand names take 60 ms. */
const poll = Duration.seconds(2)
/** The kernel tells what happened in a folder within a millisecond, in order. */
const markTime = Duration.seconds(1)

/** Acts on a file with bytes in it that MediaMTX began. */
type Act = (filename: string) => Effect.Effect<void>

/**
 * The files that appear in the folder of recordings: one watch for all, of which each recording hears only its camera's
 * names. Which of them are new is never told by their time, which a clock that is set makes a lie: an older file stands in
 * the index and does not grow, or was one of the camera's last recording.
 */
export class NewFiles extends Context.Service<
  NewFiles,
  {
    /**
     * Acts on each file that comes to a camera from now on; one recording of a camera at a time. Gives what acts on those
     * that came and were not looked at yet, for the recording's end, and removes files without a byte.
     */
    readonly follow: (camera: CameraId, act: Act) => Effect.Effect<Effect.Effect<void>, never, Scope.Scope>
  }
>()("camera-service/recording/NewFiles") {
  static readonly layer = Layer.effect(
    NewFiles,
    Effect.gen(function* () {
      const { recordings: folder } = yield* DataFolder
      const disk = yield* Disk
      const index = yield* FileIndex
      const devices = yield* Devices
      // the last one of each camera, be it over or not, as long as the camera is not forgotten
      const followers = new Map<CameraId, Follower>()
      const marks = new Map<string, Deferred.Deferred<void>>()
      let markCount = 0

      const heardByOthers = yield* makeOtherFiles(index, yield* Holds)
      const heard = (name: string): void => {
        heardByOthers(name)
        const follower = followers.get(name.slice(0, name.indexOf("_")))
        if (follower !== undefined && needsLook(follower, name)) {
          follower.heard.add(name)
          Queue.offerUnsafe(follower.awake, undefined)
        }
        const mark = marks.get(name)
        if (mark !== undefined) Deferred.doneUnsafe(mark, Effect.void)
      }

      const forget = (camera: CameraId): void => {
        const isKnown = devices.find(camera) !== undefined
        if (!isKnown && followers.get(camera)?.isOver === true) followers.delete(camera)
      }
      yield* devices.followForgotten(forget)

      const isFollowed = () => [...followers.values()].some(({ isOver }) => !isOver)
      const trouble = makeTrouble()
      let seen: ReadonlySet<string> | undefined
      /** Hears of what has come since the last time. */
      const readFolder = Effect.gen(function* () {
        const names = yield* disk.names(folder)
        const before = seen
        seen = new Set(names)
        if (before === undefined && !isFollowed()) return
        for (const name of names) if (before?.has(name) !== true) heard(name)
        for (const { empty } of followers.values()) for (const name of empty) heard(name)
      }).pipe(
        Effect.andThen(trouble.isOver("the folder of recordings can be read again")),
        Effect.catch((error) => trouble.began("the folder of recordings cannot be read", error))
      )

      const readOnAndOn = Effect.forever(
        Effect.andThen(
          Effect.suspend(() => (isFollowed() ? readFolder : Effect.void)),
          Effect.sleep(poll)
        )
      )

      let isWatched = false
      const watch = Effect.gen(function* () {
        const names = yield* disk.watch(folder)
        isWatched = true
        return yield* Effect.forever(Effect.map(Queue.take(names), heard), { disableYield: true })
      }).pipe(
        Effect.scoped,
        Effect.catch((error) => {
          isWatched = false
          return Effect.logWarning(
            "the folder of recordings cannot be watched: it is read again and again",
            inotifyAdvice(error.code) ?? error
          )
        }),
        Effect.andThen(readOnAndOn)
      )
      yield* Effect.forkScoped(watch, { startImmediately: true })

      /** Hears of what is there of this camera and not in the index. */
      const lookAround = Effect.fnUntraced(function* (camera: CameraId) {
        const names = (yield* disk.names(folder)).filter((name) => name.startsWith(`${camera}_`))
        for (const name of names.sort()) {
          if ((yield* index.get("recording", name)) === undefined) heard(name)
        }
      })

      /** Returns when all that happened in the folder before has been heard: a file made now is heard after it. */
      const caughtUp = Effect.fnUntraced(function* (camera: CameraId) {
        if (!isWatched) return yield* readFolder
        const name = `${temporaryPrefix}mark-${markCount++}`
        const mark = yield* Deferred.make<void>()
        marks.set(name, mark)
        const path = join(folder, name)
        yield* Effect.scoped(disk.create(path, 0o600)).pipe(
          Effect.andThen(Deferred.await(mark)),
          Effect.timeout(markTime),
          // a disk that takes not even a name
          Effect.catch(() => Effect.ignore(lookAround(camera))),
          Effect.ensuring(Effect.ignore(disk.removeAll(path))),
          Effect.ensuring(Effect.sync(() => marks.delete(name)))
        )
      })

      const removeEmpty = (follower: Follower, except: string | undefined) =>
        Effect.forEach(
          [...follower.empty].filter((name) => name !== except),
          Effect.fnUntraced(function* (name) {
            follower.empty.delete(name)
            const isEmpty = Effect.map(disk.state(join(folder, name)), ({ bytes }) => bytes === 0)
            if (!(yield* Effect.orElseSucceed(isEmpty, () => false))) return
            // a walk of the index may have met it
            const removed = Effect.andThen(disk.remove(join(folder, name)), index.remove("recording", name))
            yield* Effect.ignore(removed)
          }),
          { discard: true }
        )

      /** Whether it is a file of this recording with bytes in it, and was none before. */
      const isNew = Effect.fnUntraced(function* (camera: CameraId, follower: Follower, name: string) {
        if (!needsLook(follower, name)) return false
        const parsed = parseFileName(name)
        if (parsed === undefined || parsed.device !== camera || !writtenExtensions.has(parsed.extension)) return false
        // one that is gone never will be new
        const bytes = yield* Effect.map(disk.state(join(folder, name)), (state) => state.bytes).pipe(
          Effect.orElseSucceed(() => undefined)
        )
        if (bytes === undefined) {
          follower.empty.delete(name)
          return false
        }
        if (bytes === 0) {
          // MediaMTX has gone on to this one: nothing comes to those before
          if (!follower.empty.has(name)) yield* removeEmpty(follower, undefined)
          follower.empty.add(name)
          return false
        }
        const wasEmpty = follower.empty.delete(name)
        const indexed = yield* Effect.orElseSucceed(index.get("recording", name), () => undefined)
        const before = follower.older.get(name)
        // the index may have been brought to what the disk holds just now; what grows is being recorded
        if (indexed !== undefined && !wasEmpty && (before === undefined || bytes <= before)) {
          follower.older.set(name, bytes)
          forgetOldest(follower.older)
          return false
        }
        follower.own.add(name)
        forgetOldest(follower.own)
        yield* removeEmpty(follower, name)
        return true
      })

      const follow = Effect.fn("NewFiles.follow")(function* (camera: CameraId, act: Act) {
        const last = followers.get(camera)
        const follower: Follower = {
          heard: new Set(),
          awake: yield* Queue.sliding<void>(1),
          own: new Set(),
          older: new Map([...(last?.own ?? [])].map((name) => [name, Number.POSITIVE_INFINITY])),
          empty: new Set(),
          isOver: false
        }
        if (!isWatched) yield* readFolder
        yield* Effect.acquireRelease(
          Effect.sync(() => followers.set(camera, follower)),
          () =>
            Effect.sync(() => {
              follower.isOver = true
              forget(camera)
            })
        )
        const oneLook = yield* Semaphore.make(1)
        const look = Effect.gen(function* () {
          for (const name of follower.heard) {
            follower.heard.delete(name)
            if (yield* isNew(camera, follower, name)) yield* act(name)
          }
        }).pipe(Effect.uninterruptible, oneLook.withPermit)
        yield* Effect.forkScoped(Effect.forever(Effect.andThen(Queue.take(follower.awake), look)))
        return Effect.gen(function* () {
          yield* caughtUp(camera)
          yield* look
          yield* removeEmpty(follower, undefined)
        })
      })

      return NewFiles.of({ follow })
    })
  )
}
