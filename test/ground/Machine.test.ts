import { assert, describe, it } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { type ChildProcess, spawn } from "node:child_process"
import { once } from "node:events"
import { Machine } from "../../src/ground/Machine.ts"

const run = (script: string) =>
  Effect.acquireRelease(
    Effect.promise(async () => {
      const child = spawn(process.execPath, ["-e", `console.log("up");${script}`], {
        stdio: ["ignore", "pipe", "inherit"]
      })
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
})
