import { assert, describe, it, layer } from "@effect/vitest"
import * as NodeChildProcessSpawner from "@effect/platform-node/NodeChildProcessSpawner"
import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import * as NodePath from "@effect/platform-node/NodePath"
import * as Context from "effect/Context"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import type { Command } from "effect/process/ChildProcess"
import { ChildProcessSpawner, make as makeSpawner } from "effect/process/ChildProcessSpawner"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import { spawn } from "node:child_process"
import { readdirSync } from "node:fs"
import { createServer, type Socket } from "node:net"
import { getPriority, setPriority, totalmem } from "node:os"
import { join } from "node:path"
import { type ChildCommand, startChild } from "../../src/process/Child.ts"
import * as Children from "../../src/ground/Children.ts"
import { isAlive } from "../support/Processes.ts"
import { notSpawned } from "../support/Spawners.ts"

const nodeSpawner = NodeChildProcessSpawner.layer.pipe(Layer.provide([NodeFileSystem.layer, NodePath.layer]))

const sh = (script: string, ...args: ReadonlyArray<string>): ChildCommand => ({
  program: "/bin/sh",
  args: ["-c", script, ...args],
  stdout: "pipe"
})

const start = Effect.fnUntraced(function* (command: ChildCommand) {
  return yield* startChild(yield* ChildProcessSpawner, command)
})

/** The first `count` lines, for a child that goes on. */
const firstLines = (stdout: Stream.Stream<Uint8Array, unknown>, count: number) =>
  stdout.pipe(Stream.decodeText, Stream.splitLines, Stream.take(count), Stream.runCollect)

const gone = (pid: number) => !isAlive(pid)

const openDescriptors = () => readdirSync("/proc/self/fd").length

/** A port whose connections tell that a process lives: the kernel closes them when it dies, however it dies. */
const lifeline = Effect.acquireRelease(
  Effect.callback<{ readonly port: number; readonly connected: Effect.Effect<Effect.Effect<void>> }>((resume) => {
    const connection = Deferred.makeUnsafe<Socket>()
    const closed = Deferred.makeUnsafe<void>()
    const server = createServer((socket) => {
      socket.on("close", () => Deferred.doneUnsafe(closed, Exit.void))
      socket.on("error", () => {})
      Deferred.doneUnsafe(connection, Exit.succeed(socket))
    })
    server.listen(0, "127.0.0.1", () => {
      const address = server.address()
      const port = typeof address === "object" && address !== null ? address.port : 0
      const connected = Effect.as(Deferred.await(connection), Deferred.await(closed))
      resume(Effect.succeed({ port, connected, server }))
    })
  }),
  (it) => Effect.sync(() => "server" in it && (it.server as ReturnType<typeof createServer>).close())
)

const stubborn = "process.on('SIGTERM', () => {}); require('node:net').connect(+process.argv[1], '127.0.0.1').resume()"

layer(Children.layer, { excludeTestServices: true })("a child", (it) => {
  it.effect("that has nothing to close is killed at once", () =>
    Effect.gen(function* () {
      const scope = yield* Scope.make()
      const child = yield* Scope.provide(start({ ...sh("yes"), isKilled: true }), scope)
      yield* firstLines(child.stdout, 1)
      yield* Scope.close(scope, Exit.void)
      assert.strictEqual((yield* child.exit).signal, "SIGKILL")
    })
  )

  it.effect("is gone, grandchildren too, when its scope is closed", () =>
    Effect.gen(function* () {
      const scope = yield* Scope.make()
      const child = yield* start(sh("sleep 1000 & echo $!; wait")).pipe(Scope.provide(scope))
      const [grandchild = ""] = yield* firstLines(child.stdout, 1)
      assert.isFalse(gone(child.pid))
      yield* Scope.close(scope, Exit.void)
      assert.isTrue(gone(child.pid))
      assert.isTrue(gone(Number(grandchild)))
      assert.strictEqual((yield* child.exit).signal, "SIGTERM")
    })
  )

  it.effect.each([
    [-7, -7],
    [-15, -10]
  ] as const)(
    "works at the usual priority when it is heavy, else at −10 at most: the service's own is %s",
    ([own, light]) =>
      Effect.gen(function* () {
        const before = getPriority()
        // where only root may: both are as they were
        const raised = Effect.try(() => setPriority(own))
        yield* Effect.acquireRelease(Effect.ignore(raised), () => Effect.sync(() => setPriority(before)))
        const priority = (isHeavy: boolean) =>
          Effect.gen(function* () {
            const child = yield* start({ program: "nice", args: [], stdout: "pipe", isHeavy })
            return Number((yield* firstLines(child.stdout, 1))[0])
          })
        assert.strictEqual(yield* priority(false), Math.max(light, getPriority()))
        assert.strictEqual(yield* priority(true), Math.max(0, before))
      })
  )

  it.effect("may not allocate all of the machine's memory, needs less for each thread, and is taken before us", () =>
    Effect.gen(function* () {
      const child = yield* start(sh("ulimit -d; ulimit -Ss; cat /proc/self/oom_score_adj"))
      const [limit, stack, score] = yield* firstLines(child.stdout, 3)
      assert.isAtMost(Number(limit) * 1024, Math.max(totalmem() * 0.75, 2 ** 30))
      assert.isAbove(Number(limit) * 1024, 0)
      assert.strictEqual(stack, "2048")
      assert.isAtLeast(Number(score), 500)
    })
  )

  it.effect.each([
    [256, 1024],
    [512, 1024],
    [4096, 3072]
  ] as const)("of a machine with %s MB may allocate %s MB: its threads' stacks alone need some", ([machine, limit]) =>
    Effect.sync(() => {
      assert.strictEqual(Children.dataLimit(machine * 2 ** 20, Number.POSITIVE_INFINITY), limit * 1024)
      assert.strictEqual(Children.dataLimit(machine * 2 ** 20, 100 * 2 ** 20), 100 * 1024)
    })
  )

  it.effect("keeps a score that has the kernel take it even sooner", () =>
    Effect.gen(function* () {
      const real = Context.get(yield* Layer.build(nodeSpawner), ChildProcessSpawner)
      const spawner = makeSpawner((command) =>
        command._tag === "StandardCommand"
          ? real.spawn({
              ...command,
              command: "sh",
              args: ["-c", 'echo 800 >/proc/self/oom_score_adj; exec "$@"', "sh", command.command, ...command.args]
            })
          : Effect.die("no pipes here")
      )
      const child = yield* startChild(Children.tied(spawner), sh("cat /proc/self/oom_score_adj"))
      assert.deepEqual(yield* firstLines(child.stdout, 1), ["800"])
      assert.strictEqual((yield* child.exit).stderr, "")
    })
  )

  it.effect("is ended by force when it ignores signals", () =>
    Effect.gen(function* () {
      const scope = yield* Scope.make()
      const child = yield* start(sh('trap "" TERM INT HUP; echo ready; while :; do sleep 0.1; done')).pipe(
        Scope.provide(scope)
      )
      yield* firstLines(child.stdout, 1)
      yield* Scope.close(scope, Exit.void)
      assert.isTrue(gone(child.pid))
      assert.strictEqual((yield* child.exit).signal, "SIGKILL")
    })
  )

  it.effect("is ended by force when it is stopped, or has closed all its pipes and lives on", () =>
    Effect.gen(function* () {
      const scripts = ["echo $$; kill -STOP $$", "echo $$; exec <&- >&- 2>&-; while :; do sleep 0.1; done"]
      const endures = Effect.fnUntraced(function* (script: string) {
        const scope = yield* Scope.make()
        const child = yield* start(sh(script)).pipe(Scope.provide(scope))
        yield* firstLines(child.stdout, 1)
        yield* Scope.close(scope, Exit.void)
        assert.isTrue(gone(child.pid))
      })
      yield* Effect.forEach(scripts, endures, { concurrency: 2 })
    })
  )

  it.effect("dies with a service that was killed, though it ignores signals", () =>
    Effect.gen(function* () {
      const { connected, port } = yield* lifeline
      const fixture = join(import.meta.dirname, "fixtures/parent.ts")
      const parent = spawn(process.execPath, [fixture, process.execPath, "-e", stubborn, String(port)], {
        stdio: "ignore"
      })
      const closed = yield* connected
      parent.kill("SIGKILL")
      yield* closed
    })
  )

  it.effect("does not run at all when we are not its parent any more", () =>
    Effect.gen(function* () {
      // The test's own spawner starts it one process further down, as if we had died and init had taken it over.
      const real = Context.get(yield* Layer.build(nodeSpawner), ChildProcessSpawner)
      const orphaning = makeSpawner((command) =>
        command._tag === "StandardCommand"
          ? real.spawn({
              ...command,
              command: "sh",
              args: ["-c", '"$@"; exit $?', "sh", command.command, ...command.args]
            })
          : Effect.die("no pipes here")
      )
      const child = yield* startChild(Children.tied(orphaning), sh("echo ran"))
      assert.strictEqual(yield* Stream.mkString(Stream.decodeText(child.stdout)), "")
      assert.strictEqual((yield* child.exit).code, 1)
    })
  )

  it.effect("gets its arguments as they are: nothing in them is shell text", () =>
    Effect.gen(function* () {
      const args = ["$(id)", "`id`", "; id", "a b", "", "-n", "'\"\\"]
      const child = yield* start({ program: "printf", args: ["<%s>", ...args], stdout: "pipe" })
      const output = yield* Stream.mkString(Stream.decodeText(child.stdout))
      assert.strictEqual(output, args.map((arg) => `<${arg}>`).join(""))
    })
  )

  it.effect("reads what it is given, and nothing otherwise", () =>
    Effect.gen(function* () {
      const fed = yield* start({
        ...sh("cat"),
        stdin: Stream.make(Buffer.from("hello ")).pipe(Stream.concat(Stream.make(Buffer.from("there"))))
      })
      assert.strictEqual(yield* Stream.mkString(Stream.decodeText(fed.stdout)), "hello there")
      const unfed = yield* start(sh("cat"))
      assert.strictEqual(yield* Stream.mkString(Stream.decodeText(unfed.stdout)), "")
    })
  )

  it.effect("may end before it has read what it is given", () =>
    Effect.gen(function* () {
      const child = yield* start({ ...sh("exit 4"), stdin: Stream.make(new Uint8Array(1 << 20)) })
      assert.strictEqual((yield* child.exit).code, 4)
    })
  )

  it.effect("leaves its exit status and its last words, without credentials", () =>
    Effect.gen(function* () {
      const child = yield* start(
        sh(
          'i=0; while [ $i -lt 500 ]; do echo "line $i" >&2; i=$((i+1)); done; echo "rtsp://me:secret@host: no" >&2; exit 3'
        )
      )
      const exit = yield* child.exit
      assert.strictEqual(exit.code, 3)
      const lines = exit.stderr.split("\n")
      assert.strictEqual(lines.length, 20)
      assert.strictEqual(lines.at(-2), "line 499")
      assert.strictEqual(lines.at(-1), "rtsp://***@host: no")
    })
  )

  it.effect("may write errors without end: they are read and cost nothing", () =>
    Effect.gen(function* () {
      const before = process.memoryUsage().rss
      // 200 MB in one line that never ends, then many lines: it ends only if all of it is read.
      const child = yield* start(sh("head -c 200000000 /dev/zero >&2; yes error | head -n 100000 >&2; exit 9"))
      const exit = yield* child.exit
      assert.strictEqual(exit.code, 9)
      assert.isBelow(exit.stderr.length, 20 * 401)
      assert.isBelow(process.memoryUsage().rss - before, 100_000_000)
    })
  )

  it.effect("waits for a slow reader of its output instead of filling our memory", () =>
    Effect.gen(function* () {
      const scope = yield* Scope.make()
      const child = yield* start(sh("exec cat /dev/zero")).pipe(Scope.provide(scope))
      const [first] = yield* child.stdout.pipe(Stream.take(1), Stream.runCollect)
      assert.isAbove(first?.length ?? 0, 0)
      yield* Scope.close(scope, Exit.void)
      assert.isTrue(gone(child.pid))
    })
  )

  it.effect("tells of the signal that ended it", () =>
    Effect.gen(function* () {
      const child = yield* start(sh("echo $$; exec sleep 1000"))
      const [pid = ""] = yield* firstLines(child.stdout, 1)
      assert.strictEqual(Number(pid), child.pid)
      process.kill(child.pid, "SIGKILL")
      const exit = yield* child.exit
      assert.strictEqual(exit.signal, "SIGKILL")
      assert.isUndefined(exit.code)
    })
  )

  it.effect("that is no program says so", () =>
    Effect.gen(function* () {
      const child = yield* start({ program: "no-such-program-here", args: [], stdout: "ignore" })
      assert.isTrue((yield* child.exit).missing)
      const folder = yield* start({ program: "/tmp", args: [], stdout: "ignore" })
      assert.isTrue((yield* folder.exit).missing)
    })
  )

  it.effect("writes to descriptor 3 when asked to", () =>
    Effect.gen(function* () {
      const child = yield* start({ ...sh("echo three >&3; echo one"), fd3: true })
      assert.strictEqual(yield* Stream.mkString(Stream.decodeText(child.fd3)), "three\n")
      assert.strictEqual(yield* Stream.mkString(Stream.decodeText(child.stdout)), "one\n")
    })
  )

  it.effect("tells its end to everybody who waits, also to who waits outside its scope", () =>
    Effect.gen(function* () {
      const scope = yield* Scope.make()
      const child = yield* start(sh("exec sleep 1000")).pipe(Scope.provide(scope))
      const waiting = yield* Effect.forkChild(child.exit, { startImmediately: true })
      yield* Scope.close(scope, Exit.void)
      assert.strictEqual((yield* Fiber.join(waiting)).signal, "SIGTERM")
    })
  )

  it.effect("leaves no descriptor open, read or unread", () =>
    Effect.gen(function* () {
      const once = Effect.scoped(
        Effect.gen(function* () {
          const child = yield* start({ ...sh("echo x >&3; exec cat /dev/zero"), fd3: true })
          yield* Stream.runDrain(Stream.take(child.fd3, 1))
        })
      )
      yield* once
      const before = openDescriptors()
      yield* Effect.repeat(once, { times: 9 })
      // node closes what it no longer reads in a later turn of its loop: a leak of one a child would stay at 9
      const turn = Effect.promise(() => new Promise((resolve) => setTimeout(resolve, 10)))
      yield* Effect.repeat(turn, { until: () => openDescriptors() <= before + 2, times: 200 })
      assert.isAtMost(openDescriptors(), before + 2)
    })
  )
})

/** What a spawner is asked that cannot start anything, and what is said then. */
const refused = Effect.fnUntraced(function* (command: ChildCommand, code = "ENOENT") {
  const asked: Array<Command> = []
  const spawner = makeSpawner((command) => {
    asked.push(command)
    return Effect.fail(notSpawned(code))
  })
  const error = yield* Effect.flip(startChild(spawner, command))
  return { asked, error }
})

it.effect.each([
  [false, "SIGTERM"],
  [true, "SIGKILL"]
] as const)("a child (killed at once: %s) gets %s at its end, and has 2 s from then on", ([isKilled, killSignal]) =>
  Effect.gen(function* () {
    const { asked } = yield* refused({ ...sh("yes"), isKilled })
    const options = asked.map((command) => (command._tag === "StandardCommand" ? command.options : {}))
    assert.lengthOf(options, 1)
    assert.deepInclude(options[0], { killSignal, forceKillAfter: "2 seconds" })
  })
)

describe("without setpriv", () => {
  it.effect("a start says what to install, and shows no argument", () =>
    Effect.gen(function* () {
      const { error } = yield* refused(sh("echo rtsp://me:secret@host"))
      assert.strictEqual(error._tag, "ProgramMissing")
      assert.include(error.message, "util-linux")
      assert.notInclude(JSON.stringify(error), "secret")
    })
  )
})

describe("a child that the kernel does not start", () => {
  it.effect.each([
    ["EMFILE", "LimitNOFILE="],
    ["EMFILE", "ulimit -n"],
    ["ENFILE", "fs.file-max"],
    ["EAGAIN", "TasksMax="],
    ["EACCES", "spawn setpriv EACCES"]
  ] as const)("(%s) is said to want another limit than a package: %s", ([code, told]) =>
    Effect.gen(function* () {
      const { error } = yield* refused(sh("echo rtsp://me:secret@host"), code)
      assert.strictEqual(error._tag, "NotStarted")
      assert.include(error.message, told)
      assert.notInclude(error.message, "install")
      assert.notInclude(JSON.stringify(error), "secret")
    })
  )
})
