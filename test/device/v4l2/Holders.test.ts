import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { spawn } from "node:child_process"
import { once } from "node:events"
import { mkdir, open, symlink, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { Holders } from "../../../src/device/v4l2/Holders.ts"
import { KernelFiles } from "../../../src/ground/KernelFiles.ts"
import { temporaryFolder } from "../../storage/Workbench.ts"

/** Of the process that asks: `self` leads to it. */
const own = 4711

/** Processes as /proc shows them: their name, and what their descriptors link to. */
const processes = Effect.fnUntraced(function* (
  running: Readonly<Record<string, { readonly comm: string; readonly files: ReadonlyArray<string> }>>
) {
  const proc = yield* temporaryFolder
  yield* Effect.promise(async () => {
    await writeFile(join(proc, "uptime"), "1 1")
    await symlink(String(own), join(proc, "self"))
    for (const [pid, { comm, files }] of Object.entries(running)) {
      await mkdir(join(proc, pid, "fd"), { recursive: true })
      await writeFile(join(proc, pid, "comm"), `${comm}\n`)
      await Promise.all(files.map((file, fd) => symlink(file, join(proc, pid, "fd", String(fd)))))
    }
  })
  return proc
})

const holders = (path: string, proc?: string) =>
  Effect.flatMap(Holders, ({ of }) => of(path)).pipe(
    Effect.provide(
      Holders.layer.pipe(
        Layer.provide(proc === undefined ? KernelFiles.layer : KernelFiles.layerAt({ dev: "/dev", sys: "/sys", proc }))
      )
    )
  )

describe("who has a camera open", () => {
  it.effect("is each other process that has its node open", () =>
    Effect.gen(function* () {
      const proc = yield* processes({
        "812": { comm: "obs", files: ["/dev/null", "socket:[77]", "/dev/video0"] },
        "813": { comm: "gone\u001b[2J", files: ["/dev/video0", "/dev/video0"] },
        "814": { comm: "other", files: ["/dev/video1", "/dev/video01"] },
        "815": { comm: "editor", files: ["/home/me/video0"] },
        [own]: { comm: "camera-service", files: ["/dev/video0"] }
      })
      assert.sameDeepMembers(
        [...(yield* holders("/dev/video0", proc))],
        [
          { pid: 812, program: "obs" },
          { pid: 813, program: "gone[2J" }
        ]
      )
    })
  )

  it.effect("is also the process that sees the node elsewhere, as in a container", () =>
    Effect.gen(function* () {
      const elsewhere = join(yield* temporaryFolder, "null")
      yield* Effect.promise(() => symlink("/dev/null", elsewhere))
      const proc = yield* processes({ "7": { comm: "motion", files: [elsewhere] } })
      assert.deepStrictEqual(yield* holders("/dev/null", proc), [{ pid: 7, program: "motion" }])
    })
  )

  it.effect("is nobody where there is nothing to see", () =>
    Effect.gen(function* () {
      const proc = yield* processes({ "9": { comm: "hidden", files: [] } })
      assert.deepStrictEqual(yield* holders("/dev/video0", proc), [])
      assert.deepStrictEqual(yield* holders("/dev/video0", join(proc, "nowhere")), [])
    })
  )

  it.live("is found among the processes of this machine, and never this one", () =>
    Effect.gen(function* () {
      const file = join(yield* temporaryFolder, "video0")
      yield* Effect.promise(() => writeFile(file, ""))
      const opened = yield* Effect.acquireRelease(
        Effect.promise(() => open(file)),
        (handle) => Effect.promise(() => handle.close())
      )
      assert.deepStrictEqual(yield* holders(file), [])
      const child = yield* Effect.acquireRelease(
        Effect.promise(async () => {
          const started = spawn("sleep", ["60"], { stdio: [opened.fd, "ignore", "ignore"] })
          await once(started, "spawn")
          return started
        }),
        (started) => Effect.sync(() => started.kill("SIGKILL"))
      )
      assert.deepStrictEqual(yield* holders(file), [{ pid: child.pid ?? 0, program: "sleep" }])
    })
  )
})
