import * as Effect from "effect/Effect"
import * as Queue from "effect/Queue"
import { spawn } from "node:child_process"
import { createInterface } from "node:readline"

/** The kernel's word on a V4L2 node. */
export interface KernelEvent {
  readonly action: "add" | "remove"
  /** `video7` */
  readonly node: string
  /** seconds of CLOCK_MONOTONIC, as `monotonicSeconds` */
  readonly at: number
}

/** CLOCK_MONOTONIC, which the kernel's events are stamped with. */
export const monotonicSeconds = (): number => Number(process.hrtime.bigint()) / 1e9

const line = /^KERNEL\[([\d.]+)\] (add|remove)\s+\S+\/video4linux\/(video\d+) /

/** The kernel's netlink events on V4L2 nodes, by another program than the one that is measured; ends with the scope. */
export const kernelEvents = Effect.gen(function* () {
  const events = yield* Queue.unbounded<KernelEvent>()
  const ready = yield* Queue.unbounded<void>()
  yield* Effect.acquireRelease(
    Effect.sync(() => {
      // it stamps what it hears: an instrument comes before what it measures
      const program = ["-n", "-15", "udevadm", "monitor", "--kernel", "--subsystem-match=video4linux"]
      const child = spawn("nice", program, {
        stdio: ["ignore", "pipe", "ignore"]
      })
      createInterface({ input: child.stdout }).on("line", (text) => {
        // the last line of its head; it listens by then
        if (text.startsWith("KERNEL - ")) Queue.offerUnsafe(ready, undefined)
        const [, at, action, node] = line.exec(text) ?? []
        if (node === undefined) return
        Queue.offerUnsafe(events, { action: action === "add" ? "add" : "remove", node, at: Number(at) })
      })
      return child
    }),
    (child) => Effect.sync(() => void child.kill("SIGKILL"))
  )
  yield* Queue.take(ready)
  /** the first of this kind; those before it are passed over */
  const next = (action: KernelEvent["action"]) =>
    Effect.repeat(Queue.take(events), { until: (event) => event.action === action })
  /** forgets what came so far */
  const clear = Effect.asVoid(Queue.clear(events))
  return { next, clear }
})
