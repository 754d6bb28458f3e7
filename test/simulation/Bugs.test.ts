import { assert, describe, it } from "@effect/vitest"
import { execFile } from "node:child_process"
import { readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"

const here = import.meta.dirname
const folder = join(here, "bugs")
const seeds = 6

/** The promises that a bug breaks, one or the other first, as the simulation says it: those lines of its patch. */
const promisesOf = (patch: string): ReadonlyArray<string> => {
  const [head = ""] = readFileSync(join(folder, patch), "utf8").split("\n--- a/")
  return head.split("\n").flatMap((line) => /^Breaks: (.+)$/.exec(line)?.[1] ?? [])
}

interface Simulated {
  readonly status: number | string | null | undefined
  readonly said: string
  /** what became of each seed that was lived through, as main.ts says it */
  readonly outcomes: ReadonlyArray<string>
}

const simulate = (...more: ReadonlyArray<string>) =>
  new Promise<Simulated>((resolve) => {
    const args = [join(here, "main.ts"), ...more, "--seeds", String(seeds), "--count", "20"]
    execFile(process.execPath, args, (error, stdout, stderr) => {
      const outcomes = stdout.split("\n").flatMap((line) => /^seed \d+: [0-9a-f]+, \d+ s: (.+)/.exec(line)?.[1] ?? [])
      resolve({ status: error === null ? 0 : error.code, said: `${stdout}${stderr}`, outcomes })
    })
  })

describe(`a bug that is planted is found within ${seeds} busy times of 20 steps:`, () => {
  for (const patch of readdirSync(folder)) {
    it(patch.replace(".patch", "").replaceAll("-", " "), async () => {
      const { outcomes, said, status } = await simulate("--bug", join(folder, patch))
      assert.strictEqual(status, 1, said)
      assert.notInclude(said, "does not fit")
      const found = outcomes.at(-1) ?? ""
      assert.isTrue(
        promisesOf(patch).some((promise) => found.includes(promise)),
        said
      )
    })
  }

  it("and nothing is where none is planted", async () => {
    const { outcomes, said, status } = await simulate()
    assert.strictEqual(status, 0, said)
    assert.deepEqual(
      outcomes,
      Array.from({ length: seeds }, () => "ok")
    )
  }, 600_000)
})
