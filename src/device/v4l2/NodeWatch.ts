import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Queue from "effect/Queue"
import * as Schedule from "effect/Schedule"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import { watch } from "node:fs"
import { lstat, readdir, stat } from "node:fs/promises"
import { join } from "node:path"
import { Roots } from "./Roots.ts"

/** A node that is there, told again whenever something about it may have changed (its mode, for one). */
export interface Present {
  readonly _tag: "Present"
  /** `video0` */
  readonly node: string
  readonly path: string
  /** another one whenever the number has been given to another device */
  readonly instance: string
}

export interface Gone {
  readonly _tag: "Gone"
  readonly node: string
}

/** All nodes have been looked at, and what was found has been told. */
export interface Scanned {
  readonly _tag: "Scanned"
}

export type NodeChange = Present | Gone | Scanned

/** Where /dev tells nothing: a container's is often no devtmpfs, and inotify may have no watches left. */
const rescanEvery = Duration.seconds(30)
const nodeName = /^video\d+$/

/** Which V4L2 nodes there are: told by the kernel through inotify on /dev, and looked for every 30 s. */
export class NodeWatch extends Context.Service<
  NodeWatch,
  {
    /** the nodes that are there now, `Scanned`, and what changes from then on */
    readonly nodes: Stream.Stream<NodeChange>
  }
>()("camera-service/device/v4l2/NodeWatch") {
  static readonly layer = Layer.effect(
    NodeWatch,
    Effect.gen(function* () {
      const { dev, sys } = yield* Roots
      const classFolder = join(sys, "class", "video4linux")

      /** Which device has this number now; undefined when it is not there. */
      const instanceOf = async (node: string): Promise<string | undefined> => {
        try {
          const { ino } = await stat(join(dev, node), { bigint: true })
          // where /dev is made by hand, sysfs alone knows that the device is gone, or another one
          const entry = (await exists(join(sys, "class")))
            ? (await lstat(join(classFolder, node), { bigint: true })).ino
            : ""
          return `${ino}:${entry}`
        } catch {
          return undefined
        }
      }

      const nodes = Stream.callback<NodeChange>(
        Effect.fnUntraced(function* (changes) {
          const known = new Set<string>()
          // a node that is still to be looked at needs no second look: its state is read then
          const pending = new Set<string>()
          const work = yield* Queue.unbounded<string>()
          const touched = (name: string): void => {
            if (pending.has(name)) return
            pending.add(name)
            Queue.offerUnsafe(work, name)
          }

          const tell = Effect.fnUntraced(function* (node: string, instance: string | undefined) {
            if (instance !== undefined) {
              known.add(node)
              yield* Queue.offer(changes, { _tag: "Present", node, path: join(dev, node), instance })
            } else if (known.delete(node)) {
              yield* Queue.offer(changes, { _tag: "Gone", node })
            }
          })

          const look = Effect.fnUntraced(function* (node: string) {
            yield* tell(node, yield* Effect.promise(() => instanceOf(node)))
          })

          const scan = Effect.gen(function* () {
            const listed = yield* Effect.promise(() => readdir(dev).catch(() => []))
            const names = [...new Set([...known, ...listed.filter((name) => nodeName.test(name))])].sort(byNumber)
            const found = yield* Effect.forEach(names, (node) =>
              Effect.map(
                Effect.promise(() => instanceOf(node)),
                (instance) => ({ node, instance })
              )
            )
            // those that are gone first: a camera that moved from one number to another is never there twice
            for (const { instance, node } of found) if (instance === undefined) yield* tell(node, instance)
            for (const { instance, node } of found) if (instance !== undefined) yield* tell(node, instance)
            yield* Queue.offer(changes, { _tag: "Scanned" })
          })

          yield* watchFolder(dev, (name) => {
            if (nodeName.test(name)) touched(name)
          })
          yield* Effect.forkScoped(
            Effect.repeat(
              Effect.sync(() => touched(everything)),
              Schedule.spaced(rescanEvery)
            )
          )
          return yield* Effect.forever(
            Effect.gen(function* () {
              const name = yield* Queue.take(work)
              pending.delete(name)
              yield* name === everything ? scan : look(name)
            })
          )
        })
      )

      return NodeWatch.of({ nodes })
    })
  )
}

/** Stands for all nodes in the list of those to look at. */
const everything = ""

const byNumber = (a: string, b: string): number => Number(a.slice("video".length)) - Number(b.slice("video".length))

const exists = async (path: string): Promise<boolean> => {
  try {
    await stat(path)
    return true
  } catch {
    return false
  }
}

class WatchFailed extends Schema.TaggedError<WatchFailed>()("WatchFailed", { cause: Schema.Defect() }) {}

/** Tells the names of what appears, changes or vanishes in the folder, for as long as the scope lives. */
const watchFolder = (folder: string, onName: (name: string) => void) => {
  return Effect.acquireRelease(
    Effect.try({
      try: () =>
        // an error of the watch itself ends it; the rescan goes on
        watch(folder, (_event, name) => {
          if (name !== null) onName(name)
        }).on("error", () => undefined),
      catch: (cause) => new WatchFailed({ cause })
    }),
    (watcher) => Effect.sync(() => watcher.close())
  ).pipe(
    Effect.catch(({ cause }) =>
      Effect.logWarning(`cannot watch ${folder}: cameras are noticed within ${Duration.format(rescanEvery)}`, cause)
    )
  )
}
