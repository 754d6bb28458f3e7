import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Queue from "effect/Queue"
import * as Schedule from "effect/Schedule"
import type * as Scope from "effect/Scope"
import { dirname, join } from "node:path"
import { inotifyAdvice } from "../../ground/Inotify.ts"
import { KernelFiles } from "../../ground/KernelFiles.ts"
import { monotonicNow } from "../../ground/Time.ts"

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
  /** monotonic milliseconds at which the kernel told of it; undefined: it was looked for */
  readonly toldAt?: number
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
      const files = yield* KernelFiles
      const { dev } = files
      const now = yield* monotonicNow
      const classes = join(files.sys, "class")

      /** What has this number now; undefined when nothing has. Asks the kernel's memory: microseconds. */
      const look = (node: string): Present | undefined => {
        const path = join(dev, node)
        const file = files.file(path)
        // where /dev is made by hand, sysfs alone knows that the device is gone, or another one
        const entry = join(classes, "video4linux", node)
        const known = files.file(entry)
        if (file === undefined || (known === undefined && files.exists(classes))) return undefined
        const target = files.target(entry)
        const device = target === undefined ? "" : dirname(target)
        return { _tag: "Present", node, path, instance: `${file.inode}:${known?.inode ?? ""}`, device }
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
          const there = files.names(dev).filter((name) => nodeName.test(name))
          const names = [...new Set([...known, ...there])].sort(byNumber)
          const found = names.map((node) => ({ node, present: look(node) }))
          // those that are gone first: a camera that moved from one number to another is never there twice
          for (const { node, present } of found) if (present === undefined) tell(node, present)
          for (const { node, present } of found) if (present !== undefined) tell(node, present)
          Queue.offerUnsafe(told, { _tag: "Scanned" })
        })

        yield* files.watch(dev).pipe(
          Effect.flatMap((touched) => {
            // a node comes with several events at once: one look is enough for all that came before this turn
            const next = Effect.map(Queue.takeAll(touched), (names) => {
              const toldAt = now()
              for (const name of new Set(names)) {
                if (!nodeName.test(name)) continue
                const present = look(name)
                tell(name, present === undefined ? undefined : { ...present, toldAt })
              }
            })
            // an error of the watch itself ends it; the rescan goes on
            return Effect.forkScoped(Effect.ignore(Effect.forever(next, { disableYield: true })))
          }),
          Effect.catch(({ cause, code }) =>
            Effect.logWarning(
              `cannot watch ${dev}: cameras are noticed within ${Duration.format(rescanEvery)}`,
              inotifyAdvice(code) ?? cause
            )
          )
        )
        yield* Effect.forkScoped(Effect.repeat(scan, Schedule.spaced(rescanEvery)))
        return told
      })

      return NodeWatch.of({ changes })
    })
  )
}

const byNumber = (a: string, b: string): number => Number(a.slice("video".length)) - Number(b.slice("video".length))
