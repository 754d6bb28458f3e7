import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { closeSync, openSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { printOnTo, printTo } from "../../src/cli/Output.ts"
import { temporaryFolder } from "../storage/Workbench.ts"

const open = (path: string) =>
  Effect.acquireRelease(
    Effect.sync(() => openSync(path, "w")),
    (fd) => Effect.sync(() => closeSync(fd))
  )
const never = () => assert.fail("this is no stream's")

/** A stream that is no file's, and answers so. */
const answering = (code: string | undefined) => {
  const write = (_said: unknown, done: (error?: Error | null) => void) => {
    done(code === undefined ? undefined : Object.assign(new Error(code), { code }))
    return true
  }
  return { fd: 1, isTTY: true, write: write as NodeJS.WriteStream["write"] }
}

describe("what a command writes", () => {
  it.effect("is there whole, text and bytes", () =>
    Effect.gen(function* () {
      const file = join(yield* temporaryFolder, "out")
      const print = printTo({ fd: yield* open(file), write: never })
      yield* print("größer\n")
      yield* print(Uint8Array.of(65, 10))
      assert.strictEqual(readFileSync(file, "utf8"), "größer\nA\n")
    })
  )

  it.effect("and a full disk does not take fails, with the reason", () =>
    Effect.gen(function* () {
      const print = printTo({ fd: yield* open("/dev/full"), write: never })
      const error = yield* Effect.flip(print("a"))
      assert.strictEqual(error._tag, "OutputFailed")
      assert.include(error.message, "ENOSPC")
    })
  )

  it.effect("and nobody reads any more is no failure; whatever else a stream says is", () =>
    Effect.gen(function* () {
      for (const code of [undefined, "EPIPE", "ERR_STREAM_DESTROYED"]) yield* printTo(answering(code))("a")
      for (const to of [printTo, printOnTo]) {
        assert.deepInclude(yield* Effect.flip(to(answering("EIO"))("a")), { _tag: "OutputFailed", code: "EIO" })
      }
    })
  )

  it.effect("is over for who goes on only to be read, once nobody reads it", () =>
    Effect.gen(function* () {
      yield* printOnTo(answering(undefined))("a")
      assert.strictEqual((yield* Effect.flip(printOnTo(answering("EPIPE"))("a")))._tag, "ReaderGone")
    })
  )
})
