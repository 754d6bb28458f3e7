import { assert, describe, it } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schedule from "effect/Schedule"
import { type ChildProcess, spawn } from "node:child_process"
import { once } from "node:events"
import { readFileSync } from "node:fs"
import { Machine } from "../../src/ground/Machine.ts"

const run = (script: string, ...prefix: ReadonlyArray<string>) =>
  Effect.acquireRelease(
    Effect.promise(async () => {
      const [program = "", ...args] = [...prefix, process.execPath, "-e", `console.log("up");${script}`]
      const child = spawn(program, args, { stdio: ["ignore", "pipe", "inherit"] })
      await once(child.stdout, "data")
      return child
    }),
    (child) => Effect.sync(() => child.kill("SIGKILL"))
  )

const works = Effect.fnUntraced(function* ({ pid = 0 }: ChildProcess) {
  const machine = Context.get(yield* Layer.build(Machine.layer), Machine)
  return yield* machine.works(pid)
})

describe("a process", () => {
  it.live("works while it computes, and not while it is stopped", () =>
    Effect.gen(function* () {
      const child = yield* run("for (;;);")
      assert.isTrue(yield* works(child))
      child.kill("SIGSTOP")
      // the signal is on its way
      yield* Effect.repeat(works(child), { until: (still) => !still })
      assert.isFalse(yield* works(child))
      child.kill("SIGCONT")
      assert.isTrue(yield* works(child))
    })
  )

  it.live("does not work while it waits, or is gone", () =>
    Effect.gen(function* () {
      const child = yield* run("Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0)")
      yield* Effect.repeat(works(child), { until: (still) => !still })
      assert.isFalse(yield* works(child))
      child.kill("SIGKILL")
      yield* Effect.promise(() => once(child, "exit"))
      assert.isFalse(yield* works(child))
    })
  )

  it.live("has waited for a CPU while another process has it, and no more when it is gone", () =>
    Effect.gen(function* () {
      const machine = Context.get(yield* Layer.build(Machine.layer), Machine)
      // both on the first that this process may use
      const [first] = /(?<=Cpus_allowed_list:\s+)\d+/.exec(readFileSync("/proc/self/status", "utf8")) ?? []
      const prefix = ["taskset", "--cpu-list", first ?? "0"]
      const [{ pid = 0 }, other] = [yield* run("for (;;);", ...prefix), yield* run("for (;;);", ...prefix)]
      const waited = Effect.sync(() => machine.processorWait(pid))
      yield* Effect.repeat(waited, { until: (millis) => millis > 100, schedule: Schedule.spaced("10 millis") })
      other.kill("SIGKILL")
      yield* Effect.promise(() => once(other, "exit"))
      assert.strictEqual(machine.processorWait(other.pid ?? 0), 0)
    })
  )
})
