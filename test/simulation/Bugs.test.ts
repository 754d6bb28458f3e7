import { assert, describe, it } from "@effect/vitest"
import { execFile } from "node:child_process"
import { readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"

const here = import.meta.dirname
const folder = join(here, "bugs")

/** The promise that a bug breaks, as the simulation says it: the second line of its patch. */
const promiseOf = (patch: string): string => readFileSync(join(folder, patch), "utf8").split("\n")[1]?.slice(8) ?? ""

const simulate = (patch: string) =>
  new Promise<string>((resolve) => {
    const args = [join(here, "main.ts"), "--bug", join(folder, patch), "--seeds", "6", "--count", "20"]
    execFile(process.execPath, args, (_, stdout, stderr) => resolve(`${stdout}${stderr}`))
  })

describe("a bug that is planted is found within six busy times of 20 steps:", () => {
  for (const patch of readdirSync(folder)) {
    it(patch.replace(".patch", "").replaceAll("-", " "), async () => {
      assert.include(await simulate(patch), promiseOf(patch))
    })
  }
})
