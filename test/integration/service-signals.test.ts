import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { readFileSync, readdirSync, readlinkSync } from "node:fs"
import { join } from "node:path"
import { eventually } from "../support/Eventually.ts"
import { connect } from "../support/PlainClient.ts"
import { bundle, makeGround, ready, type RunOptions, type Service, start } from "../support/Service.ts"

/** TCP sockets that a process listens on, as their inodes (proc_net(5)). */
const listening = (pid: number): ReadonlyArray<string> => {
  const open = new Set(
    readdirSync(`/proc/${pid}/fd`).map((fd) => {
      try {
        return readlinkSync(`/proc/${pid}/fd/${fd}`)
      } catch {
        return ""
      }
    })
  )
  return ["tcp", "tcp6"]
    .flatMap((table) => readFileSync(`/proc/${pid}/net/${table}`, "utf8").trim().split("\n").slice(1))
    .map((line) => line.trim().split(/\s+/))
    .filter(([, , , state, , , , , , inode]) => state === "0A" && open.has(`socket:[${inode}]`))
    .map(([, local = ""]) => local)
    .sort()
}

const stillRecords = (service: Service) =>
  Effect.gen(function* () {
    const client = yield* connect(service.url, yield* service.token({ role: "operator" }))
    const { filename } = yield* client.result<{ readonly filename: string }>("start_recording", { device: "camera0" })
    return Effect.gen(function* () {
      assert.strictEqual(yield* client.result("ping"), "pong")
      assert.isAbove(readFileSync(join(service.ground.folder, "recordings", filename)).length, 0)
    })
  })

/** Every signal but those that end it, stop it, or tell of a fault, which the process cannot go on after. */
const harmless = [
  ...(["SIGHUP", "SIGUSR1", "SIGUSR2", "SIGALRM", "SIGVTALRM", "SIGPROF", "SIGIO", "SIGPIPE", "SIGPWR"] as const),
  ...(["SIGSTKFLT", "SIGURG", "SIGWINCH", "SIGCHLD", "SIGCONT", "SIGXCPU", "SIGXFSZ"] as const)
]

const ways: ReadonlyArray<readonly [title: string, options: RunOptions]> = [
  ["as it is started", {}],
  ["as its bundle alone", { command: [process.execPath, bundle] }]
]

for (const [title, options] of ways) {
  it.live(`${title}, it goes on after every signal that does not ask it to end, and opens no debugger`, () =>
    Effect.gen(function* () {
      const service = yield* start(yield* makeGround(), options)
      yield* ready(service)
      const check = yield* stillRecords(service)
      const before = listening(service.pid)
      assert.isNotEmpty(before)
      for (const name of harmless) {
        yield* service.kill(name)
        yield* check
      }
      // it came last, and its line after all that the others may have set off
      yield* service.kill("SIGHUP")
      const lines = () => service.stderr().split("SIGHUP: ").length - 1
      yield* eventually(
        "it says that it was told to hang up, twice",
        Effect.sync(() => lines() === 2)
      )
      assert.deepStrictEqual(listening(service.pid), before)
      assert.notInclude(service.stderr(), "Debugger")
      yield* check
    })
  )
}

it.live("whoever reads its log may go", () =>
  Effect.gen(function* () {
    const unread = 'exec "$0" "$@" 2> >(:)'
    const command = ["bash", "-c", unread, join(import.meta.dirname, "../../scripts/camera-service")]
    const service = yield* start(yield* makeGround(), { command })
    yield* ready(service)
    const check = yield* stillRecords(service)
    // it writes a line
    yield* service.kill("SIGHUP")
    yield* check
    yield* service.kill("SIGTERM")
    assert.deepStrictEqual(yield* service.ended, { code: 0, signal: null })
  })
)
