import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { type ChildProcess, spawn } from "node:child_process"
import { once } from "node:events"
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { emulated } from "../lab/emulated.ts"
import { decodeResult, resultsFile } from "../lab/vm/Results.ts"
import { loadScenarios } from "../lab/vm/Scenarios.ts"
import { eventually } from "../support/Eventually.ts"

/** For what hangs: half a minute each as a rule, all of them six minutes, and more beside other tests. */
const longest = 1_200_000

const lab = join(import.meta.dirname, "../lab")

/**
 * The scenarios of a folder, played in a virtual machine. It is started once, and plays them one after the other; each test
 * waits for the result of its own.
 */
export const playInTheLab = async (name: string, folder: string, isPossible = true): Promise<void> => {
  const scenarios = await loadScenarios(folder)

  describe.skipIf(!isPossible)(name, () => {
    let machine: ChildProcess | undefined
    let shared = ""
    let said = ""

    const resultOf = (title: string) => {
      const file = join(shared, resultsFile)
      // a line that is being written is there at the next look
      const lines = existsSync(file) ? readFileSync(file, "utf8").split("\n").slice(0, -1) : []
      return lines.map((line) => decodeResult(line)).find((result) => result.title === title)
    }

    beforeAll(() => {
      shared = mkdtempSync(join(tmpdir(), "camera-service-lab-"))
      const boot = join(lab, "boot")
      const program = [process.execPath, ...emulated, join(lab, "vm/main.ts"), folder]
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
}
