import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { type ChildProcess, spawn } from "node:child_process"
import { once } from "node:events"
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { eventually } from "../support/Eventually.ts"
import { emulated } from "./emulated.ts"
import { decodeResult, resultsFile } from "./vm/Results.ts"
import { loadScenarios } from "./vm/Scenarios.ts"

/*
 * The scenarios, played in a virtual machine with the kernel's own V4L2 and USB video drivers. The machine is started
 * once, and plays them one after the other; each test waits for the result of its own.
 */

const scenarios = await loadScenarios()
/** For what hangs: half a minute each as a rule, all of them six minutes, and more beside other tests. */
const longest = 1_200_000

const shared = mkdtempSync(join(tmpdir(), "camera-service-lab-"))
let machine: ChildProcess | undefined
let said = ""

const resultOf = (title: string) => {
  const file = join(shared, resultsFile)
  // a line that is being written is there at the next look
  const lines = existsSync(file) ? readFileSync(file, "utf8").split("\n").slice(0, -1) : []
  return lines.map((line) => decodeResult(line)).find((result) => result.title === title)
}

describe("with real V4L2 devices", () => {
  beforeAll(() => {
    const boot = join(import.meta.dirname, "boot")
    const program = [process.execPath, ...emulated, join(import.meta.dirname, "vm/main.ts")]
    machine = spawn(boot, ["--limit", String(longest / 1000), "--shared", shared, "--", ...program], {
      stdio: ["ignore", "pipe", "pipe"]
    })
    for (const stream of [machine.stdout, machine.stderr]) {
      stream?.setEncoding("utf8").on("data", (text: string) => void (said += text))
    }
  })

  afterAll(async () => {
    if (machine?.exitCode === null) {
      const ended = once(machine, "exit")
      machine.kill("SIGTERM")
      await ended
    }
    rmSync(shared, { recursive: true, force: true })
  })

  for (const { title } of scenarios) {
    it.live(
      title,
      () =>
        Effect.gen(function* () {
          const result = yield* eventually(
            "the machine plays it",
            Effect.sync(() => resultOf(title) ?? machine?.exitCode !== null),
            longest
          )
          if (result === true)
            return assert.fail(`the machine ended before (${machine?.exitCode}):\n${said.slice(-4000)}`)
          assert.isUndefined(result.failure, result.failure)
        }),
      longest
    )
  }
})
