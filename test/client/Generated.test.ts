import { expect, it } from "@effect/vitest"
import { spawnSync } from "node:child_process"
import { join } from "node:path"

it("the generated files say what the contract says", () => {
  const generate = join(import.meta.dirname, "../../scripts/generate")
  const { status, stderr } = spawnSync(generate, ["--check"], { encoding: "utf8" })
  expect(stderr).toBe("")
  expect(status).toBe(0)
})
