import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { spawn } from "node:child_process"
import { once } from "node:events"
import { readFileSync } from "node:fs"
import { join } from "node:path"
import { eventually } from "../support/Eventually.ts"
import { type Ground, makeGround, start } from "../support/Service.ts"

/** Node has no datagrams between processes of one machine. */
const listener = `
import socket, sys
end = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
name = sys.argv[1]
end.bind("\\0" + name[1:] if name[0] == "@" else name)
print("listens", flush=True)
while True: print(end.recv(65536).decode().replace("\\n", " | "), flush=True)
`

/** A service manager at this socket, and what it has heard: a datagram a line. */
const managerAt = Effect.fnUntraced(function* (name: string) {
  let heard = ""
  const child = yield* Effect.acquireRelease(
    Effect.promise(async () => {
      const made = spawn("/usr/bin/python3", ["-c", listener, name], { stdio: ["ignore", "pipe", "inherit"] })
      made.stdout.setEncoding("utf8")
      await once(made.stdout, "data")
      return made
    }),
    (made) => Effect.sync(() => made.kill("SIGKILL"))
  )
  child.stdout.on("data", (text: string) => void (heard += text))
  return {
    lines: () => heard.split("\n"),
    hears: (what: string | RegExp, times = 1) =>
      eventually(
        `the manager hears ${what}`,
        Effect.sync(() => heard.split("\n").filter((line) => line.match(what) !== null).length >= times)
      )
  }
})

const environmentOf = (pid: number) => readFileSync(`/proc/${pid}/environ`, "utf8").split("\0")

const sockets: ReadonlyArray<readonly [string, (ground: Ground) => string]> = [
  ["by its path", ({ folder }) => join(folder, "notify")],
  ["in the abstract space", ({ folder }) => `@${folder}/notify`]
]

for (const [where, nameOf] of sockets) {
  it.live(`a service manager that is reached ${where} is told all of a service's life, and no child knows of it`, () =>
    Effect.gen(function* () {
      const ground = yield* makeGround()
      const name = nameOf(ground)
      const manager = yield* managerAt(name)
      const environment = { NOTIFY_SOCKET: name, WATCHDOG_USEC: "1000000" }
      const service = yield* start(ground, { environment })
      yield* manager.hears(/READY=1 \| STATUS=2 cameras, 0 recordings/)
      yield* manager.hears("WATCHDOG=1", 3)
      yield* manager.hears("STATUS=2 cameras, 0 recordings")

      const children = ground.processes().filter(({ pid }) => pid !== service.pid)
      assert.isNotEmpty(children)
      for (const { pid } of children) assert.notInclude(environmentOf(pid).join(" "), "NOTIFY_SOCKET")

      yield* service.kill("SIGHUP")
      yield* manager.hears(/^RELOADING=1 \| MONOTONIC_USEC=\d+$/)
      yield* manager.hears(/^READY=1$/)
      const since =
        Number(
          manager
            .lines()
            .find((line) => line.startsWith("RELOADING"))
            ?.split("=")
            .at(-1)
        ) / 1e6
      assert.closeTo(since, Number(process.hrtime.bigint()) / 1e9, 10)

      yield* service.kill("SIGTERM")
      assert.strictEqual((yield* service.ended).code, 0)
      yield* manager.hears(/^STOPPING=1$/)
    })
  )
}

it.live("a watchdog that is meant for another process gets no sign of life from this one", () =>
  Effect.gen(function* () {
    const ground = yield* makeGround()
    const manager = yield* managerAt(join(ground.folder, "notify"))
    const environment = { NOTIFY_SOCKET: join(ground.folder, "notify"), WATCHDOG_USEC: "100000", WATCHDOG_PID: "1" }
    const service = yield* start(ground, { environment })
    yield* manager.hears(/READY=1/)
    yield* service.kill("SIGTERM")
    yield* manager.hears("STOPPING=1")
    assert.isEmpty(manager.lines().filter((line) => line.includes("WATCHDOG")))
  })
)

it.live("a service whose manager cannot be reached says so, and serves", () =>
  Effect.gen(function* () {
    const service = yield* start(yield* makeGround(), { environment: { NOTIFY_SOCKET: "vsock:2:1234" } })
    yield* eventually(
      "it says so",
      Effect.sync(() => service.stderr().includes("NOTIFY_SOCKET is vsock:2:1234, no socket of this machine"))
    )
  })
)
