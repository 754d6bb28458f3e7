import { assert, layer } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { execFileSync, spawn } from "node:child_process"
import { chmodSync, existsSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { eventually } from "../support/Eventually.ts"
import { freePorts } from "../support/FreePorts.ts"
import { program, run, type Run, SharedService } from "../support/Service.ts"

const command = Effect.fnUntraced(function* (...args: ReadonlyArray<string>) {
  const { ground } = yield* SharedService
  return yield* run(ground, { args })
})

/** What it printed, once it has ended well. */
const printed = Effect.fnUntraced(function* (...args: ReadonlyArray<string>) {
  const running: Run = yield* command(...args)
  const { code } = yield* running.ended
  assert.strictEqual(code, 0, running.stderr())
  return running.stdout()
})

const refused = Effect.fnUntraced(function* (...args: ReadonlyArray<string>) {
  const running = yield* command(...args)
  const { code } = yield* running.ended
  assert.strictEqual(running.stdout(), "")
  return { code, said: running.stderr() }
})

layer(SharedService.layer(), { excludeTestServices: true })("at a shell", (it) => {
  it.effect("the cameras are a table for people, and the service's own reply for programs", () =>
    Effect.gen(function* () {
      const [head, first] = (yield* printed("cameras")).split("\n")
      assert.match(head ?? "", /^CAMERA +STATUS +SIZE +FPS +NAME$/)
      assert.match(first ?? "", /^camera0 +CONNECTED +\d+x\d+ +\d+ +Synthetic camera 0$/)
      const { total } = JSON.parse(yield* printed("cameras", "--json")) as { readonly total: number }
      assert.strictEqual(total, 2)
    })
  )

  it.effect("bash completes commands, options and roles", () =>
    Effect.sync(() => {
      const root = join(import.meta.dirname, "../..")
      const completed = (...words: ReadonlyArray<string>) => {
        const script = `source packaging/camera-service.bash; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _camera_service; echo "\${COMPREPLY[@]}"`
        const env = { ...process.env, PATH: `${join(root, "scripts")}:${process.env["PATH"]}` }
        const args = ["-c", script, "bash", "camera-service", ...words]
        return execFileSync("bash", args, { cwd: root, env, encoding: "utf8" }).trim()
      }
      assert.strictEqual(completed("rec"), "record recordings")
      assert.strictEqual(completed("snapshot", "--u"), "--url")
      assert.strictEqual(completed("token", "--role", "op"), "operator")
    })
  )

  it.effect("a picture comes into a file, in the place of an older one", () =>
    Effect.gen(function* () {
      const { ground } = yield* SharedService
      const file = join(ground.folder, "picture.jpg")
      // a new one is nobody else's to see
      yield* printed("snapshot", "camera0", "-o", file)
      assert.strictEqual(statSync(file).mode & 0o777, 0o600)
      writeFileSync(file, "older")
      chmodSync(file, 0o640)
      assert.include(yield* printed("snapshot", "camera0", "-o", file), file)
      assert.strictEqual(readFileSync(file).subarray(0, 2).toString("hex"), "ffd8")
      assert.strictEqual(statSync(file).mode & 0o777, 0o640)
      assert.isEmpty(readdirSync(ground.folder).filter((name) => name.endsWith(".part")))
    })
  )

  it.effect("a recording lasts as long as it is asked to, or until Ctrl-C, and is listed", () =>
    Effect.gen(function* () {
      assert.match(yield* printed("record", "camera0", "--for", "1s"), /camera0\S+mp4 {2}\(\d+(\.\d+)? s, \d/)
      const open = yield* command("record", "camera1")
      yield* eventually(
        "it records",
        Effect.sync(() => open.stdout().includes("until Ctrl-C"))
      )
      yield* open.kill("SIGINT")
      assert.strictEqual((yield* open.ended).code, 0)
      assert.match(open.stdout(), /camera1\S+mp4 {2}\(/)
      const list = yield* printed("recordings")
      for (const camera of ["camera0", "camera1"]) assert.include(list, camera)
    })
  )

  it.effect("events are told as they come, from another box too", () =>
    Effect.gen(function* () {
      const { ground, token, url } = yield* SharedService
      const file = join(ground.folder, "key")
      writeFileSync(file, `${yield* token({ role: "viewer" })}\n`)
      const watching = yield* command("watch", "--json", "--url", url, "--token-file", file)
      // the first event comes once it has subscribed
      yield* eventually(
        "an event is told",
        Effect.andThen(
          printed("snapshot", "camera0"),
          Effect.sync(() => watching.stdout().includes('"topic":"snapshot.taken"'))
        )
      )
      for (const { argv } of ground.processes()) assert.notInclude(argv.join(" "), readFileSync(file, "utf8").trim())
      yield* watching.kill("SIGINT")
      assert.strictEqual((yield* watching.ended).code, 0)
    })
  )

  it.effect("what is watched is watched no more when its reader goes, also while nothing happens", () =>
    Effect.gen(function* () {
      const { ground } = yield* SharedService
      // the status of the watch itself, and what its reader got
      const line = `{ "${program}" watch --json; echo "status $?" >&2; } | head -n 1`
      const watching = yield* Effect.acquireRelease(
        Effect.sync(() => spawn("bash", ["-c", line], { env: { ...process.env, ...ground.environment } })),
        (running) => Effect.sync(() => running.kill("SIGKILL"))
      )
      let [heard, status] = ["", ""]
      watching.stdout.setEncoding("utf8").on("data", (text: string) => void (heard += text))
      watching.stderr.setEncoding("utf8").on("data", (text: string) => void (status += text))
      yield* eventually(
        "an event is told",
        Effect.andThen(
          printed("snapshot", "camera0"),
          Effect.sync(() => heard !== "")
        )
      )
      // nothing more is asked of the service
      yield* eventually(
        "it has ended",
        Effect.sync(() => status.includes("status"))
      )
      assert.strictEqual(status, "status 0\n")
      assert.lengthOf(heard.trim().split("\n"), 1)
    })
  )

  it.effect("no token is shown to another user's program that listens in the service's place", ({ skip }) =>
    Effect.gen(function* () {
      if (process.getuid?.() !== 0) return skip("only root may start a program as another user")
      const { ground } = yield* SharedService
      const [port = 0] = yield* freePorts(1)
      const script = `import socket
s = socket.create_server(("127.0.0.1", ${port}))
print("up", flush=True)
while True: print(s.accept()[0].recv(9999), flush=True)`
      const nobody = 65_534
      const thief = yield* Effect.acquireRelease(
        Effect.sync(() => spawn("/usr/bin/python3", ["-c", script], { uid: nobody, gid: nobody, cwd: "/" })),
        (running) => Effect.sync(() => running.kill("SIGKILL"))
      )
      let heard = ""
      thief.stdout.setEncoding("utf8").on("data", (text: string) => void (heard += text))
      yield* eventually(
        "it listens",
        Effect.sync(() => heard === "up\n")
      )
      const asking = yield* run(ground, {
        args: ["cameras"],
        environment: { CAMERA_SERVICE_SERVER_PORT: String(port) }
      })
      assert.strictEqual((yield* asking.ended).code, 69)
      assert.include(asking.stderr(), "another user's program listens (user 65534)")
      assert.strictEqual(heard, "up\n")
    })
  )

  it.effect("what is refused is told in a sentence, with a status", () =>
    Effect.gen(function* () {
      const { url } = yield* SharedService
      const unknown = yield* refused("snapshot", "camera77")
      assert.deepInclude(unknown, { code: 69 })
      assert.include(unknown.said, "There is no camera camera77")
      assert.deepInclude(yield* refused("snapshot", "../etc"), { code: 64 })
      assert.deepInclude(yield* refused("cameras", "--url", url), { code: 64 })
      const absent = yield* refused("cameras", "--url", url, "--token-file", "/none")
      assert.include(absent.said, "/none cannot be read (ENOENT)")
      // nothing is made where no service has been
      const elsewhere = yield* run((yield* SharedService).ground, {
        args: ["cameras"],
        environment: { CAMERA_SERVICE_DATA_DIR: "/tmp/camera-service-nowhere" }
      })
      assert.strictEqual((yield* elsewhere.ended).code, 69)
      assert.include(elsewhere.stderr(), "/tmp/camera-service-nowhere has no secret that can be read here")
      assert.isFalse(existsSync("/tmp/camera-service-nowhere"))
      for (const { said } of [unknown, absent]) assert.notInclude(said, "    at ")
    })
  )
})
