import * as Effect from "effect/Effect"
import { spawn, spawnSync } from "node:child_process"
import { once } from "node:events"
import { readdirSync, readFileSync } from "node:fs"
import { eventually } from "./Eventually.ts"

/** Why system calls cannot be tampered with here; undefined: they can. */
export const whyNoStrace = (): string | undefined =>
  spawnSync("strace", ["-qq", "-o", "/dev/null", "true"]).status === 0 ? undefined : "strace may not trace here"

const isTraced = (pid: number): boolean =>
  readdirSync(`/proc/${pid}/task`).every((task) =>
    /^TracerPid:\t[1-9]/m.test(readFileSync(`/proc/${pid}/task/${task}/status`, "utf8"))
  )

/**
 * What a process asks of the kernel goes as strace says (strace(1), -e inject), until the scope ends. A program in Go calls the
 * kernel by itself: nothing else comes between.
 */
export const tampered = Effect.fnUntraced(function* (pid: number, ...how: ReadonlyArray<string>) {
  yield* Effect.acquireRelease(
    Effect.sync(() =>
      spawn("strace", ["-f", "-qq", "-o", "/dev/null", ...how, "-p", String(pid)], { stdio: "ignore" })
    ),
    (strace) =>
      Effect.promise(async () => {
        if (strace.exitCode !== null) return
        const ended = once(strace, "exit")
        // it lets go of the process
        strace.kill("SIGINT")
        await ended
      })
  )
  yield* eventually(
    "strace has hold of it",
    Effect.sync(() => isTraced(pid))
  )
})
