import { assert, describe, it } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as Ref from "effect/Ref"
import * as Queue from "effect/Queue"
import * as Stream from "effect/Stream"
import * as SubscriptionRef from "effect/SubscriptionRef"
import { TestClock } from "effect/testing"
import { execFileSync } from "node:child_process"
import { mkdirSync, renameSync, symlinkSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { load } from "../../src/config/Load.ts"
import { followFile } from "../../src/config/Reload.ts"
import { liveNow, settingsOf } from "../../src/config/Settings.ts"
import { Disk } from "../../src/ground/Disk.ts"
import { MemoryDisk } from "../../testing/MemoryDisk.ts"
import { temporaryFolder } from "../storage/Workbench.ts"

/** A line of the log: its level, its words, and what stands beside them. */
interface Line {
  readonly level: string
  readonly words: string
  readonly details: string
}

/** A service's settings that follow a file. */
const following = Effect.fnUntraced(function* (file: string, environment: Readonly<Record<string, string>> = {}) {
  const lines = yield* Queue.unbounded<Line>()
  const logger = Logger.make<unknown, void>(({ logLevel, message }) => {
    const [words, ...details] = Array.isArray(message) ? (message as Array<unknown>) : [message]
    Queue.offerUnsafe(lines, { level: logLevel, words: String(words), details: JSON.stringify(details) })
  })
  const from = { file, environment }
  const { configuration, text = "" } = yield* load(from)
  const settings = yield* settingsOf(configuration)
  const read = yield* Effect.provide(followFile({ from, configuration, text, settings }), Logger.layer([logger]))
  return {
    live: () => liveNow(settings),
    settings,
    read: Effect.provide(read, Logger.layer([logger])),
    /** the next line */
    said: Queue.take(lines),
    /** all lines that nobody has looked at */
    unread: Queue.clear(lines)
  }
})

const folder = "/etc/camera"
const file = join(folder, "camera.yml")

/** On a disk in memory, and a clock that stands still. */
const bench = Effect.fnUntraced(function* (text: string, environment?: Readonly<Record<string, string>>) {
  const { outside } = yield* MemoryDisk
  outside.makeFolder(folder)
  const write = (path: string, next: string, position?: number) =>
    Effect.sync(() => outside.write(path, new TextEncoder().encode(next), position))
  /** as editors do: aside, and then in its place */
  const replace = (next: string) =>
    Effect.andThen(
      write(join(folder, ".new"), next, 0),
      Effect.sync(() => outside.rename(join(folder, ".new"), file))
    )
  yield* write(file, text)
  const followed = yield* following(file, environment)
  yield* TestClock.adjust("1 second")
  return { ...followed, outside, write, replace }
})

const inMemory = Effect.provide(MemoryDisk.layer)
const linger = (seconds: number) => `streams: { viewer_linger_seconds: ${seconds} }\n`

describe("a configuration file that changes", () => {
  it.effect("is followed once it is still, and the log says what is in force now", () =>
    Effect.gen(function* () {
      const { live, replace, said } = yield* bench(linger(300))
      yield* replace(linger(20))
      yield* TestClock.adjust("999 millis")
      assert.strictEqual(Duration.toSeconds(live().streams.viewer_linger_seconds), 300)
      yield* TestClock.adjust("1 millis")
      const line = yield* said
      assert.include(line.words, "the configuration has changed")
      assert.include(line.details, '"streams.viewer_linger_seconds":20')
      assert.strictEqual(Duration.toSeconds(live().streams.viewer_linger_seconds), 20)
    }).pipe(inMemory)
  )

  it.effect("in its comments alone leaves every key as it is", () =>
    Effect.gen(function* () {
      const { live, replace, said } = yield* bench(linger(300))
      const before = live()
      yield* replace(`# the hall\n${linger(300)}# 5 minutes\n`)
      yield* TestClock.adjust("2 seconds")
      assert.include((yield* said).words, "the configuration is as it was")
      // nobody is told of a change either
      assert.strictEqual(live(), before)
    }).pipe(inMemory)
  )

  it.effect("is not taken half written, however often its writer pauses", () =>
    Effect.gen(function* () {
      const { live, outside, said, unread, write } = yield* bench(linger(300))
      outside.remove(file)
      const append = outside.create(file)
      const parts = ["streams:\n", "  viewer_linger_seconds: 2", "0\n", "telemetry: { log_", "level: debug }\n"]
      for (const part of parts) {
        append(new TextEncoder().encode(part))
        yield* TestClock.adjust("900 millis")
        assert.strictEqual(Duration.toSeconds(live().streams.viewer_linger_seconds), 300)
      }
      assert.deepStrictEqual(yield* unread, [])
      yield* TestClock.adjust("1 second")
      assert.include((yield* said).details, '"streams.viewer_linger_seconds":20')
      assert.strictEqual(live().telemetry.log_level, "debug")
      // and one that is emptied first
      yield* write(file, "", 0)
      outside.remove(file)
      yield* write(file, "")
      yield* TestClock.adjust("2 seconds")
      assert.include((yield* said).words, "is empty, and the configuration stays as it was")
      assert.strictEqual(live().telemetry.log_level, "debug")
    }).pipe(inMemory)
  )

  it.effect("is refused whole when it is bad, in one line with all that is wrong, and taken when it is put right", () =>
    Effect.gen(function* () {
      const { live, replace, said, settings, unread } = yield* bench(linger(300))
      yield* replace("streams: { viewer_linger_seconds: 20, stall_seconds: 0 }\nserver: { prot: 1 }\n")
      yield* TestClock.adjust("2 seconds")
      const line = yield* said
      assert.strictEqual(line.level, "Warn")
      assert.include(line.words, "is refused")
      assert.include(line.details, "/etc/camera/camera.yml:1:39: streams.stall_seconds: 0: must be 1 to 60")
      assert.include(
        line.details,
        "/etc/camera/camera.yml:2:11: server.prot: there is no such key; meant: server.port?"
      )
      assert.strictEqual(Duration.toSeconds(live().streams.viewer_linger_seconds), 300)
      assert.deepStrictEqual((yield* Ref.get(settings.unapplied)).refused, [
        "streams.stall_seconds: must be 1 to 60",
        // without its name, which may be a secret in a wrong place
        "there is no such key; meant: server.port?"
      ])
      // not again and again
      yield* TestClock.adjust("10 minutes")
      assert.deepStrictEqual(yield* unread, [])
      yield* replace(linger(20))
      yield* TestClock.adjust("2 seconds")
      assert.include((yield* said).details, "20")
      assert.strictEqual(Duration.toSeconds(live().streams.viewer_linger_seconds), 20)
      assert.deepStrictEqual((yield* Ref.get(settings.unapplied)).refused, [])
    }).pipe(inMemory)
  )

  it.effect("names in one line the keys that have to wait for the next start, secrets without their values", () =>
    Effect.gen(function* () {
      const { replace, said, settings, unread } = yield* bench(linger(300))
      yield* replace(`server: { port: 9000 }\nauth: { jwt_secret: ${"hush".repeat(10)} }\n${linger(300)}`)
      yield* TestClock.adjust("2 seconds")
      const line = yield* said
      assert.strictEqual(line.level, "Warn")
      assert.include(line.words, "at the next start only: server.port, auth.jwt_secret")
      assert.notInclude(JSON.stringify(line), "hushhush")
      assert.deepStrictEqual((yield* Ref.get(settings.unapplied)).waiting, ["server.port", "auth.jwt_secret"])
      assert.deepStrictEqual([settings.boot.server.port, yield* unread], [8002, []])
      // it is as the service has started again
      yield* replace(linger(300))
      yield* TestClock.adjust("2 seconds")
      assert.include((yield* said).words, "the configuration is as it was")
    }).pipe(inMemory)
  )

  it.effect("is not even looked at when it is far too large for one, nor is the log filled with what is wrong", () =>
    Effect.gen(function* () {
      const { live, replace, said } = yield* bench(linger(300))
      const wrong = (lines: number) => Array.from({ length: lines }, (_, i) => `key${i}: value\n`).join("")
      yield* replace(wrong(10_000))
      yield* TestClock.adjust("2 seconds")
      const { words } = yield* said
      assert.include(words, "cannot be read (it has more than 64 KiB), and the configuration stays as it was")
      yield* replace(wrong(100))
      yield* TestClock.adjust("2 seconds")
      const { details } = yield* said
      assert.strictEqual(details.match(/there is no such key/g)?.length, 20)
      assert.include(details, '"more_problems":80')
      yield* replace(linger(20))
      yield* TestClock.adjust("2 seconds")
      yield* said
      assert.strictEqual(Duration.toSeconds(live().streams.viewer_linger_seconds), 20)
    }).pipe(inMemory)
  )

  it.effect("does not prevail over the environment, nor does a key that it leaves out keep its old value", () =>
    Effect.gen(function* () {
      const environment = { CAMERA_SERVICE_STREAMS_VIEWER_LINGER_SECONDS: "7" }
      const { live, replace, said } = yield* bench("streams: { stall_seconds: 5 }\n", environment)
      assert.strictEqual(Duration.toSeconds(live().streams.stall_seconds), 5)
      yield* replace(linger(20))
      yield* TestClock.adjust("2 seconds")
      assert.include((yield* said).details, '[{"streams.stall_seconds":3}]')
      assert.strictEqual(Duration.toSeconds(live().streams.viewer_linger_seconds), 7)
      assert.strictEqual(Duration.toSeconds(live().streams.stall_seconds), 3)
    }).pipe(inMemory)
  )

  it.effect("is read at once when that is asked for, and what is said then is said each time", () =>
    Effect.gen(function* () {
      const { live, read, replace, said, unread } = yield* bench(linger(300))
      yield* read
      assert.include((yield* said).words, "the configuration is as it was")
      yield* replace(linger(20))
      yield* TestClock.adjust("500 millis")
      yield* read
      assert.strictEqual(Duration.toSeconds(live().streams.viewer_linger_seconds), 20)
      assert.include((yield* said).details, "20")
      yield* TestClock.adjust("1 minute")
      assert.deepStrictEqual(yield* unread, [])
    }).pipe(inMemory)
  )

  it.effect("that goes away leaves all as it was, says so once, and is followed when it is back", () =>
    Effect.gen(function* () {
      const { live, outside, replace, said, unread } = yield* bench(linger(20))
      outside.remove(file)
      yield* TestClock.adjust("5 minutes")
      assert.include((yield* said).words, "cannot be read (ENOENT), and the configuration stays as it was")
      assert.deepStrictEqual(yield* unread, [])
      assert.strictEqual(Duration.toSeconds(live().streams.viewer_linger_seconds), 20)
      yield* replace(linger(30))
      yield* TestClock.adjust("2 seconds")
      assert.include((yield* said).details, "30")
    }).pipe(inMemory)
  )

  it.effect("is noticed in 30 s where the kernel watches nothing, and the log says what to raise", () =>
    Effect.gen(function* () {
      const { outside, suffer } = yield* MemoryDisk
      outside.makeFolder(folder)
      outside.write(file, new TextEncoder().encode(linger(300)))
      yield* suffer({ name: "no watches" })
      const { live, said } = yield* following(file)
      yield* TestClock.adjust("1 second")
      const line = yield* said
      assert.include(line.words, "cannot watch the configuration file: changes are noticed within 30s")
      assert.include(line.details, "raise fs.inotify.max_user_watches")
      outside.remove(file)
      outside.write(file, new TextEncoder().encode(linger(20)))
      yield* TestClock.adjust("32 seconds")
      assert.include((yield* said).details, "20")
      assert.strictEqual(Duration.toSeconds(live().streams.viewer_linger_seconds), 20)
    }).pipe(inMemory)
  )
})

/** Waits for the linger time to be so long, on the real clock and the real disk. */
const untilLinger = ({ settings }: Effect.Success<ReturnType<typeof following>>, seconds: number) =>
  SubscriptionRef.changes(settings.live).pipe(
    Stream.filter(({ streams }) => Duration.toSeconds(streams.viewer_linger_seconds) === seconds),
    Stream.runHead,
    Effect.timeout("1 minute")
  )

const onDisk = Effect.provide(Disk.layer.pipe(Layer.merge(Logger.layer([]))))

describe("a configuration file on the disk", () => {
  it.live("may be a link through a folder that is swapped, as Kubernetes mounts a ConfigMap", () =>
    Effect.gen(function* () {
      const root = yield* temporaryFolder
      const version = (name: string, text: string) => {
        mkdirSync(join(root, name))
        writeFileSync(join(root, name, "camera.yml"), text)
        symlinkSync(name, join(root, "..data_tmp"))
        renameSync(join(root, "..data_tmp"), join(root, "..data"))
      }
      version("..2026_1", linger(300))
      symlinkSync("..data/camera.yml", join(root, "camera.yml"))
      const followed = yield* following(join(root, "camera.yml"))
      version("..2026_2", linger(20))
      yield* untilLinger(followed, 20)
      version("..2026_3", linger(30))
      yield* untilLinger(followed, 30)
    }).pipe(onDisk)
  )

  it.live(
    "may link to a file in another folder, which is followed there, also when the link leads to another one",
    () =>
      Effect.gen(function* () {
        const root = yield* temporaryFolder
        for (const name of ["etc", "one", "two"]) mkdirSync(join(root, name))
        writeFileSync(join(root, "one/camera.yml"), linger(300))
        writeFileSync(join(root, "two/camera.yml"), linger(20))
        const link = (to: string) => {
          symlinkSync(join(root, to, "camera.yml"), join(root, "etc/new"))
          renameSync(join(root, "etc/new"), join(root, "etc/camera.yml"))
        }
        link("one")
        const followed = yield* following(join(root, "etc/camera.yml"))
        writeFileSync(join(root, "one/camera.yml"), linger(10))
        yield* untilLinger(followed, 10)
        link("two")
        yield* untilLinger(followed, 20)
        writeFileSync(join(root, "two/camera.yml"), linger(30))
        yield* untilLinger(followed, 30)
      }).pipe(onDisk)
  )

  it.live("is followed on after a pipe that nobody writes to stood in its place", () =>
    Effect.gen(function* () {
      const path = join(yield* temporaryFolder, "camera.yml")
      writeFileSync(path, linger(300))
      const followed = yield* following(path)
      execFileSync("mkfifo", [`${path}.new`])
      renameSync(`${path}.new`, path)
      assert.include((yield* followed.said).words, "cannot be read (it is no file)")
      writeFileSync(`${path}.new`, linger(20))
      renameSync(`${path}.new`, path)
      yield* untilLinger(followed, 20)
    }).pipe(onDisk)
  )
})
