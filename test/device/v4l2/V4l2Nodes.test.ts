import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { readdir, readlink, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { V4l2Nodes } from "../../../src/device/v4l2/V4l2Nodes.ts"
import { temporaryFolder } from "../../storage/Workbench.ts"
import { eventually } from "../../support/Eventually.ts"

const codeOf = (path: string) =>
  Effect.gen(function* () {
    const nodes = yield* V4l2Nodes
    const error = yield* Effect.flip(nodes.probe(path))
    assert.deepInclude(error, { _tag: "ProbeFailed", node: path })
    return error.code
  })

/** How often this process has the file open. */
const opened = async (path: string): Promise<number> => {
  const links = (await readdir("/proc/self/fd")).map((fd) => readlink(`/proc/self/fd/${fd}`).catch(() => ""))
  return (await Promise.all(links)).filter((link) => link === path).length
}

describe("asking a node what it is", () => {
  it.effect("fails with the kernel's word for it where the node is something else, or is not there", () =>
    Effect.gen(function* () {
      assert.strictEqual(yield* codeOf("/dev/null"), "ENOTTY")
      assert.strictEqual(yield* codeOf("/dev/ptmx"), "ENOTTY")
      assert.strictEqual(yield* codeOf("/dev"), "EISDIR")
      assert.strictEqual(yield* codeOf("/dev/video-that-is-not-there"), "ENOENT")
    }).pipe(Effect.provide(V4l2Nodes.layer))
  )

  it.live("leaves no file open, also when it is given up at once", () =>
    Effect.gen(function* () {
      const path = join(yield* temporaryFolder, "video0")
      yield* Effect.promise(() => writeFile(path, ""))
      const nodes = yield* V4l2Nodes
      const one = Effect.exit(nodes.probe(path))
      yield* Effect.all(
        Array.from({ length: 20 }, (_, n) => (n % 2 === 0 ? one : Effect.timeoutOption(one, 0))),
        { concurrency: "unbounded", discard: true }
      )
      yield* eventually(
        "the file is closed",
        Effect.promise(async () => (await opened(path)) === 0)
      )
    }).pipe(Effect.provide(V4l2Nodes.layer))
  )
})
