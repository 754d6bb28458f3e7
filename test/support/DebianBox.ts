import * as Effect from "effect/Effect"
import assert from "node:assert/strict"
import { spawn, spawnSync } from "node:child_process"
import { readFileSync } from "node:fs"
import { join } from "node:path"
import { eventually } from "./Eventually.ts"

const box = join(import.meta.dirname, "box")

/** Why there can be none here, or nothing. */
export const whyNoBox = spawnSync(box, ["--check"], { encoding: "utf8" }).stdout.trim()

/** A booted Debian with what this machine has installed, and what runs a command in it; `shared`: a folder, which is its /srv. */
export const bootDebian = Effect.fnUntraced(function* (shared: string) {
  const outer = yield* Effect.acquireRelease(
    Effect.sync(() => spawn(box, [shared], { stdio: ["ignore", "ignore", "inherit"] })),
    (made) => Effect.sync(() => made.kill("SIGKILL"))
  )
  const children = () => readFileSync(`/proc/${outer.pid}/task/${outer.pid}/children`, "utf8").trim()
  const run = (...command: ReadonlyArray<string>) => {
    const { status, stderr, stdout } = spawnSync(box, ["--in", children(), ...command], { encoding: "utf8" })
    return { status, said: stdout + stderr }
  }
  yield* eventually(
    "systemd has booted",
    Effect.sync(() => children() !== "" && run("systemctl", "is-system-running").said.includes("running")),
    "60 seconds"
  )
  return {
    run,
    /** a command that has to do well; what it says */
    well: (...command: ReadonlyArray<string>) => {
      const { said, status } = run(...command)
      assert.equal(status, 0, `${command.join(" ")}: ${said}`)
      return said.trim()
    }
  }
})
