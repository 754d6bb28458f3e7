import * as Effect from "effect/Effect"
import { execFileSync } from "node:child_process"
import { appendFileSync, existsSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"

/** CLOCK_MONOTONIC, which the kernel's trace is stamped with. */
export const monotonicSeconds = (): number => Number(process.hrtime.bigint()) / 1e9

export interface KernelEvents {
  /** when the kernel told first since `clear` that a V4L2 node is there, or is gone, in seconds of CLOCK_MONOTONIC; waits */
  readonly first: (action: "add" | "remove") => Effect.Effect<number>
  /** forgets what came so far */
  readonly clear: () => void
}

const folder = "/sys/kernel/tracing"

const write = (name: string, text: string): void => writeFileSync(join(folder, name), text)

/*
 * Linux, Documentation/trace/kprobetrace.rst. device_add and device_del of drivers/base/core.c have the device's name, and
 * send the uevent by netlink_broadcast; the functions in between can not be traced (lib/ is not).
 */
const probes = [
  "p:lab/add device_add name=+0(+0(%di)):string",
  "p:lab/remove device_del name=+0(+0(%di)):string",
  "p:lab/uevent netlink_broadcast"
]

/** `kworker/0:1-23  [000] .....  16.349696: add: (device_add+0x0/0x8d0) name="video7"` */
const line = /-(\d+)\s+\[\d+\] \S+\s+([\d.]+): (add|remove|uevent): \(\S+\)(?: name="(.*)")?$/

/**
 * The kernel's uevents on V4L2 nodes, stamped by the kernel itself as it sends them: nobody has to be woken for it, which
 * would take time from what is measured.
 */
export const kernelEvents: Effect.Effect<KernelEvents> = Effect.sync(() => {
  if (!existsSync(join(folder, "trace_clock"))) execFileSync("mount", ["-t", "tracefs", "tracefs", folder])
  write("trace_clock", "mono")
  for (const probe of probes) appendFileSync(join(folder, "kprobe_events"), `${probe}\n`)
  write("events/lab/enable", "1")
  const find = (action: "add" | "remove"): number | undefined => {
    const sender = new Map<string, string>()
    for (const text of readFileSync(join(folder, "trace"), "utf8").split("\n")) {
      const [, pid = "", at, event, name = ""] = line.exec(text) ?? []
      if (event === "uevent") {
        if (sender.get(pid) === action) return Number(at)
      } else if (event !== undefined) {
        sender.set(pid, /^video\d+$/.test(name) ? event : "")
      }
    }
    return undefined
  }
  return {
    first: Effect.fnUntraced(function* (action) {
      for (;;) {
        const at = find(action)
        if (at !== undefined) return at
        // inotify may be faster than the uevent
        yield* Effect.sleep("1 millis")
      }
    }),
    clear: () => write("trace", "")
  }
})
