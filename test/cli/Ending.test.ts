import { assert, it } from "@effect/vitest"
import { spawn } from "node:child_process"
import { once } from "node:events"
import { givenUp } from "../../src/cli/Ending.ts"

it("an end that is given up names what still runs, and nothing that has ended", async () => {
  const child = spawn("sleep", ["1000"], { stdio: "ignore" })
  const named = `sleep (${child.pid})`
  try {
    await once(child, "spawn")
    assert.include(givenUp(), "the end took too long and is given up, with ")
    assert.include(givenUp(), named)
  } finally {
    child.kill("SIGKILL")
  }
  await once(child, "exit")
  assert.notInclude(givenUp(), named)
})
