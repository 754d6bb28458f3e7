import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Queue from "effect/Queue"
import type * as Scope from "effect/Scope"
import * as Semaphore from "effect/Semaphore"
import { join } from "node:path"
import type { CameraId } from "../../schema/Camera.ts"
import { Devices } from "../device/Devices.ts"
import { Disk } from "../ground/Disk.ts"
import { DataFolder } from "../storage/DataFolder.ts"
import { DiskGuard } from "../storage/DiskGuard.ts"
import { FileIndex } from "../storage/FileIndex.ts"
import { Holds } from "../storage/Holds.ts"
import { parseFileName } from "../storage/Names.ts"
import { type Follower, forgetOldest, needsLook } from "./FileFollower.ts"
import { hearNames } from "./FolderNames.ts"
import { makeOtherFiles } from "./OtherFiles.ts"

/** What MediaMTX writes itself; other extensions are made of these here. */
const writtenExtensions = new Set(["mp4", "ts"])

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

      const heardByOthers = yield* makeOtherFiles(index, yield* Holds)
      const heard = (name: string): void => {
        heardByOthers(name)
        const follower = followers.get(name.slice(0, name.indexOf("_")))
        if (follower !== undefined && needsLook(follower, name)) {
          follower.heard.add(name)
          Queue.offerUnsafe(follower.awake, undefined)
        }
      }

      const forget = (camera: CameraId): void => {
        const isKnown = devices.find(camera) !== undefined
        if (!isKnown && followers.get(camera)?.isOver === true) followers.delete(camera)
      }
      yield* devices.followForgotten(forget)

      // the kernel watches the folder, not its path
      const returned = yield* Queue.sliding<void>(1)
      yield* (yield* DiskGuard).facts.follow((fact) =>
        fact._tag === "DataFolderMoved" && fact.isThere
          ? Effect.andThen(Queue.offer(returned, undefined), index.doubt)
          : Effect.void
      )

      const names = yield* hearNames(disk, folder, {
        heard,
        isAwake: () => [...followers.values()].some(({ isOver }) => !isOver),
        moved: Queue.take(returned),
        unsettled: () => Array.from(followers.values(), ({ empty }) => Array.from(empty)).flat()
      })

      /** Hears of what is there of this camera and not in the index. */
      const lookAround = Effect.fnUntraced(function* (camera: CameraId) {
        const its = (yield* disk.names(folder)).filter((name) => name.startsWith(`${camera}_`))
        for (const name of its.sort()) {
          if ((yield* index.get("recording", name)) === undefined) heard(name)
        }
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
        yield* names.begin
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
          yield* names.caughtUp(Effect.ignore(lookAround(camera)))
          yield* look
          yield* removeEmpty(follower, undefined)
        })
      })

      return NewFiles.of({ follow })
    })
  )
}
