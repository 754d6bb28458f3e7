import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Queue from "effect/Queue"
import * as Schedule from "effect/Schedule"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import { existsSync, lstatSync, readdirSync, readlinkSync, statSync, watch } from "node:fs"
import { dirname, join } from "node:path"
import { Roots } from "./Roots.ts"

/** A node that is there, told again whenever something about it may have changed (its mode, for one). */
export interface Present {
  readonly _tag: "Present"
  /** `video0` */
  readonly node: string
  readonly path: string
  /** another one whenever the number has been given to another device */
  readonly instance: string
  /** the same for all nodes of a device; empty where there is no sysfs */
  readonly device: string
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
    /** the nodes that are there now, `Scanned`, and what changes from then on, for as long as the scope lives */
    readonly changes: Effect.Effect<Queue.Dequeue<NodeChange>, never, Scope.Scope>
  }
>()("camera-service/device/v4l2/NodeWatch") {
  static readonly layer = Layer.effect(
    NodeWatch,
    Effect.gen(function* () {
      const { dev, sys } = yield* Roots
      const classFolder = join(sys, "class", "video4linux")

      /** What has this number now; undefined when nothing has. Asks the kernel's memory: microseconds. */
      const look = (node: string): Present | undefined => {
        const path = join(dev, node)
        const file = maybe(() => statSync(path, asked))
        // where /dev is made by hand, sysfs alone knows that the device is gone, or another one
        const entry = maybe(() => lstatSync(join(classFolder, node), asked))
        if (file === undefined || (entry === undefined && existsSync(join(sys, "class")))) return undefined
        const target = maybe(() => readlinkSync(join(classFolder, node)))
        const device = target === undefined ? "" : dirname(target)
        return { _tag: "Present", node, path, instance: `${file.ino}:${entry?.ino ?? ""}`, device }
      }

      const changes = Effect.gen(function* () {
        const told = yield* Queue.unbounded<NodeChange>()
        const known = new Set<string>()

        const tell = (node: string, present: Present | undefined): void => {
          if (present !== undefined) {
            known.add(node)
            Queue.offerUnsafe(told, present)
          } else if (known.delete(node)) {
            Queue.offerUnsafe(told, { _tag: "Gone", node })
          }
        }

        const scan = Effect.sync(() => {
          const names = [...new Set([...known, ...nodesIn(dev)])].sort(byNumber)
          const found = names.map((node) => ({ node, present: look(node) }))
          // those that are gone first: a camera that moved from one number to another is never there twice
          for (const { node, present } of found) if (present === undefined) tell(node, present)
          for (const { node, present } of found) if (present !== undefined) tell(node, present)
          Queue.offerUnsafe(told, { _tag: "Scanned" })
        })

        // a node comes with several events at once: one look is enough for them
        const touched = new Set<string>()
        const lookAtTouched = (): void => {
          for (const name of touched) tell(name, look(name))
          touched.clear()
        }
        yield* watchFolder(dev, (name) => {
          if (!nodeName.test(name)) return
          if (touched.size === 0) setImmediate(lookAtTouched)
          touched.add(name)
        })
        yield* Effect.forkScoped(Effect.repeat(scan, Schedule.spaced(rescanEvery)))
        return told
      })

      return NodeWatch.of({ changes })
    })
  )
}

/** Undefined for what is something else, or is gone by now: nothing may be thrown where the kernel calls us. */
const maybe = <A>(ask: () => A): A | undefined => {
  try {
    return ask()
  } catch {
    return undefined
  }
}

/** A number that two devices had one after the other must not look like one. */
const asked = { bigint: true, throwIfNoEntry: false } as const

const byNumber = (a: string, b: string): number => Number(a.slice("video".length)) - Number(b.slice("video".length))

/** None where there is no such folder. */
const nodesIn = (folder: string): ReadonlyArray<string> => {
  try {
    return readdirSync(folder).filter((name) => nodeName.test(name))
  } catch {
    return []
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
