import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Queue from "effect/Queue"
import { TestClock } from "effect/testing"
import { Settings } from "../../src/config/Settings.ts"
import { Disk } from "../../src/ground/Disk.ts"
import { Ffmpeg } from "../../src/process/Ffmpeg.ts"
import { fakeSpawner } from "../support/Spawners.ts"
import { testSettings } from "../support/TestSettings.ts"

const bench = Effect.gen(function* () {
  const { layer, running, started } = yield* fakeSpawner
  const context = yield* Layer.build(
    Ffmpeg.layer.pipe(Layer.provide([layer, Disk.layer, Layer.succeed(Settings, testSettings())]))
  )
  return { started, running, ffmpeg: yield* Effect.provide(Ffmpeg, context) }
})

const jpegEnd = "\u00ff\u00d9"

const picture = { work: "picture", timeout: "10 seconds" } as const

let kinds = 0
/** Of an input that has nothing in common with others. */
const other = () => practiceOf(String(kinds++))
const practiceOf = (kind: string) => ({ kind, args: ["-i", "two"], input: () => new Uint8Array(2) })

describe("Ffmpeg", () => {
  it.effect("makes at most 4 pictures at a time", () =>
    Effect.gen(function* () {
      const { ffmpeg, running, started } = yield* bench
      const runs = yield* Effect.forEach(Array.from({ length: 10 }), () =>
        Effect.forkChild(ffmpeg.run(["-i", "x"], picture))
      )
      const first = yield* Queue.takeN(started, 4)
      assert.strictEqual(running(), 4)
      assert.strictEqual(yield* Queue.size(started), 0)
      for (const process of first) {
        yield* process.end(0, { stdout: "picture" })
        yield* Queue.take(started)
        assert.strictEqual(running(), 4)
      }
      yield* Fiber.interruptAll(runs)
    })
  )

  it.effect("has another one stand by soon after a picture, for 2 min, and never more than one", () =>
    Effect.gen(function* () {
      const { ffmpeg, running, started } = yield* bench
      const make = (name: string) =>
        ffmpeg.picture(["-i", name], { stdin: new Uint8Array(1), timeout: "10 seconds", practice: other() })
      const first = yield* Effect.forkChild(Effect.all([make("x"), make("x")], { concurrency: "unbounded" }))
      for (const process of yield* Queue.takeN(started, 2)) yield* process.end(0, { stdout: jpegEnd })
      yield* Fiber.join(first)
      assert.strictEqual(running(), 0)
      yield* TestClock.adjust("100 millis")
      const standing = yield* Queue.take(started)
      assert.strictEqual(yield* Queue.size(started), 0)
      const second = yield* Effect.forkChild(make("x"))
      yield* Effect.yieldNow
      assert.strictEqual(yield* Queue.size(started), 0)
      yield* standing.end(0, { stdout: jpegEnd })
      assert.strictEqual((yield* Fiber.join(second)).length, 2)
      yield* TestClock.adjust("100 millis")
      yield* Queue.take(started)
      yield* TestClock.adjust("119 seconds")
      assert.strictEqual(running(), 1)
      yield* TestClock.adjust("1 second")
      assert.strictEqual(running(), 0)
    })
  )

  it.effect("that stands by and dies is not missed: the next picture is made by a new one", () =>
    Effect.gen(function* () {
      const { ffmpeg, started } = yield* bench
      yield* ffmpeg.preparePicture(["-i", "x"])
      yield* ffmpeg.preparePicture(["-i", "x"])
      yield* Effect.flatMap(Queue.take(started), (process) => process.end(1))
      assert.strictEqual(yield* Queue.size(started), 0)
      yield* TestClock.adjust(0)
      const picture = yield* Effect.forkChild(
        ffmpeg.picture(["-i", "x"], { stdin: new Uint8Array(1), timeout: "10 seconds", practice: other() })
      )
      yield* Effect.flatMap(Queue.take(started), (process) => process.end(0, { stdout: jpegEnd }))
      assert.strictEqual((yield* Fiber.join(picture)).length, 2)
    })
  )

  describe("that stands by for what came twice", () => {
    const jpeg = `\u00ff\u00d8${jpegEnd}`
    /** One who makes pictures of this kind; the second of a camera's was made just now. */
    const practising = Effect.gen(function* () {
      const { ffmpeg, running, started } = yield* bench
      const make = (kind: string) =>
        ffmpeg.picture(["-i", "x"], { stdin: new Uint8Array(1), timeout: "10 seconds", practice: practiceOf(kind) })
      const begin = (kind: string) => Effect.forkChild(make(kind), { startImmediately: true })
      for (const time of [1, 2]) {
        const made = yield* begin("a camera's")
        yield* Effect.flatMap(Queue.take(started), (process) => process.end(0, { stdout: jpeg }))
        yield* Fiber.join(made)
        yield* TestClock.adjust("100 millis")
        // who stands by for all is started after each
        assert.strictEqual(running(), time)
      }
      const two = yield* Queue.takeN(started, 2)
      const all = two.find(({ argv }) => argv.includes("x"))
      const practised = two.find(({ argv }) => argv.includes("two"))
      if (all === undefined || practised === undefined) return yield* Effect.die("one is missing")
      return { all, begin, practised, running, started }
    })

    it.effect("has practised with it, gives the second picture, and another one practises", () =>
      Effect.gen(function* () {
        const { begin, practised, started } = yield* practising
        yield* practised.say(jpeg)
        yield* TestClock.adjust(0)
        const third = yield* begin("a camera's")
        yield* practised.say(jpegEnd)
        assert.strictEqual((yield* Fiber.join(third)).length, 2)
        yield* TestClock.adjust("100 millis")
        assert.include((yield* Queue.take(started)).argv, "two")
        assert.strictEqual(yield* Queue.size(started), 0)
      })
    )

    it.effect("is not used before it has practised, nor for another kind", () =>
      Effect.gen(function* () {
        const { all, begin, practised, running, started } = yield* practising
        const early = yield* begin("a camera's")
        yield* all.end(0, { stdout: jpegEnd })
        assert.strictEqual((yield* Fiber.join(early)).length, 2)
        yield* practised.say(jpeg)
        yield* TestClock.adjust("100 millis")
        const next = yield* Queue.take(started)
        const another = yield* begin("another's")
        yield* next.end(0, { stdout: jpegEnd })
        assert.strictEqual((yield* Fiber.join(another)).length, 2)
        yield* TestClock.adjust("121 seconds")
        assert.strictEqual(running(), 0)
      })
    )

    it.effect("and cannot have the next is no loss: it is made by the other", () =>
      Effect.gen(function* () {
        const { all, begin, practised } = yield* practising
        yield* practised.say(jpeg)
        yield* TestClock.adjust(0)
        const third = yield* begin("a camera's")
        yield* practised.end(1, { stderr: "[error] Invalid data found" })
        yield* all.end(0, { stdout: jpegEnd })
        assert.strictEqual((yield* Fiber.join(third)).length, 2)
      })
    )

    it.effect("is one in all: of a kind that came twice later it is begun anew", () =>
      Effect.gen(function* () {
        const { all, begin, running, started } = yield* practising
        let next = all
        for (const _ of [1, 2]) {
          const made = yield* begin("another's")
          yield* next.end(0, { stdout: jpegEnd })
          yield* Fiber.join(made)
          yield* TestClock.adjust("100 millis")
          next = yield* Queue.take(started)
        }
        assert.strictEqual(running(), 2)
      })
    )
  })

  it.effect("that makes no picture says why, and one that takes too long is gone", () =>
    Effect.gen(function* () {
      const { ffmpeg, running, started } = yield* bench
      const make = Effect.suspend(() =>
        ffmpeg.picture(["-i", "x"], { stdin: new Uint8Array(1), timeout: "1 second", practice: other() })
      )
      const failing = yield* Effect.forkChild(Effect.flip(make))
      yield* Effect.flatMap(Queue.take(started), (process) => process.end(0, { stderr: "[error] Invalid data found" }))
      assert.include((yield* Fiber.join(failing)).detail, "Invalid data found")
      yield* TestClock.adjust("100 millis")
      yield* Queue.take(started)
      const hanging = yield* Effect.forkChild(Effect.flip(make))
      yield* TestClock.adjust("1 second")
      assert.strictEqual((yield* Fiber.join(hanging)).detail, "ffmpeg took longer than 1 s")
      yield* TestClock.adjust("100 millis")
      yield* Queue.take(started)
      // what stands by
      assert.strictEqual(running(), 1)
    })
  )

  it.effect("has no picture wait for other kinds of work, however many there are", () =>
    Effect.gen(function* () {
      const { ffmpeg, started } = yield* bench
      for (const work of ["remux", "trial"] as const) {
        const some = Array.from({ length: 10 })
        yield* Effect.forEach(some, () => Effect.forkChild(ffmpeg.run([work], { work, timeout: "10 minutes" })))
      }
      yield* Effect.forkChild(ffmpeg.run(["the picture"], picture))
      yield* Queue.take(started).pipe(Effect.repeat({ until: ({ argv }) => argv.includes("the picture") }))
    })
  )

  it.effect("counts the wait for others in the time limit", () =>
    Effect.gen(function* () {
      const { ffmpeg, started } = yield* bench
      const others = Array.from({ length: 4 })
      yield* Effect.forEach(others, () =>
        Effect.forkChild(ffmpeg.run(["-i", "x"], { work: "picture", timeout: "1 hour" }))
      )
      yield* Queue.takeN(started, 4)
      const run = yield* Effect.forkChild(Effect.flip(ffmpeg.run(["-i", "x"], picture)))
      yield* TestClock.adjust("10 seconds")
      assert.strictEqual((yield* Fiber.join(run)).detail, "ffmpeg took longer than 10 s")
      assert.strictEqual(yield* Queue.size(started), 0)
    })
  )

  it.effect("gives up after the time limit, and the process is gone", () =>
    Effect.gen(function* () {
      const { ffmpeg, running, started } = yield* bench
      const run = yield* Effect.forkChild(
        Effect.flip(ffmpeg.run(["-i", "x"], { work: "picture", timeout: "3 seconds" }))
      )
      yield* Queue.take(started)
      yield* TestClock.adjust("3 seconds")
      assert.strictEqual((yield* Fiber.join(run)).detail, "ffmpeg took longer than 3 s")
      assert.strictEqual(running(), 0)
    })
  )

  it.effect("fails with the lines that say why, without the level and without credentials", () =>
    Effect.gen(function* () {
      const { ffmpeg, started } = yield* bench
      const run = yield* Effect.forkChild(Effect.flip(ffmpeg.run(["-i", "x"], picture)))
      const process = yield* Queue.take(started)
      const stderr =
        "[error] rtsp://me:secret@cam/live: Connection refused\n[warning] closing\n[info] something at the end\n"
      yield* process.end(187, { stderr })
      const failed = yield* Fiber.join(run)
      assert.strictEqual(failed.detail, "ffmpeg ended with status 187: rtsp://***@cam/live: Connection refused")
      assert.strictEqual(failed.exitCode, 187)
    })
  )

  it.effect("never reads the terminal, and puts its own options first", () =>
    Effect.gen(function* () {
      const { ffmpeg, started } = yield* bench
      const process = yield* ffmpeg.start(["-i", "x", "out.ts"], { urgency: "stream" })
      const { argv } = yield* Queue.take(started)
      const own = argv.slice(argv.indexOf("ffmpeg") + 1)
      assert.deepStrictEqual(own.slice(-3), ["-i", "x", "out.ts"])
      assert.include(own, "-nostdin")
      assert.isAbove(process.pid, 0)
    })
  )

  it.effect("that is not there is named", () =>
    Effect.gen(function* () {
      const { ffmpeg, started } = yield* bench
      const run = yield* Effect.forkChild(Effect.flip(ffmpeg.run([], picture)))
      yield* Effect.flatMap(Queue.take(started), (process) => process.end(127, { stderr: "exec: ffmpeg: not found" }))
      assert.strictEqual((yield* Fiber.join(run)).detail, "ffmpeg was not found")

      const check = yield* Effect.forkChild(Effect.flip(ffmpeg.check))
      yield* Effect.flatMap(Queue.take(started), (process) =>
        process.end(0, { stdout: "ffmpeg version 5.1.9 Copyright" })
      )
      yield* Effect.flatMap(Queue.take(started), (process) => process.end(127))
      assert.deepInclude(yield* Fiber.join(check), { _tag: "ProgramMissing", program: "ffprobe" })
    })
  )

  const versions = [
    ["", "ffmpeg is no ffmpeg"],
    ["MediaMTX v1.20.1\n", "ffmpeg is no ffmpeg"],
    ["ffprobe version 7.1 Copyright\n", "ffmpeg is no ffmpeg"],
    ["ffmpeg version 4.4.2-0ubuntu0.22.04.1 Copyright\n", "ffmpeg is too old (4.4.2-0ubuntu0.22.04.1)"],
    ["ffmpeg version 5.0 Copyright\n", "ffmpeg is too old (5.0)"],
    ["ffmpeg version n7.1-10-g1234 Copyright\n", undefined],
    ["ffmpeg version N-118000-g1234 Copyright\n", undefined],
    ["ffmpeg version 2024-11-01-git Copyright\n", undefined]
  ] as const
  for (const [said, complaint] of versions) {
    it.effect(`that says ${JSON.stringify(said)} is ${complaint === undefined ? "taken" : "refused"}`, () =>
      Effect.gen(function* () {
        const { ffmpeg, started } = yield* bench
        const check = yield* Effect.forkChild(Effect.result(ffmpeg.check))
        yield* Effect.flatMap(Queue.take(started), (process) => process.end(0, { stdout: said }))
        if (complaint === undefined) {
          const stdout = "ffprobe version 7.1 Copyright"
          yield* Effect.flatMap(Queue.take(started), (process) => process.end(0, { stdout }))
        }
        const result = yield* Fiber.join(check)
        const message = result._tag === "Failure" ? result.failure.message.split(":")[0] : undefined
        assert.strictEqual(message, complaint)
      })
    )
  }

  const killed = [
    ["SIGKILL", "taken"],
    ["SIGTERM", "taken"],
    ["SIGILL", "refused"]
  ] as const
  for (const [signal, outcome] of killed) {
    it.effect(`that ${signal} ended before it said its version is ${outcome}`, () =>
      Effect.gen(function* () {
        const { ffmpeg, started } = yield* bench
        const check = yield* Effect.forkChild(Effect.result(ffmpeg.check))
        yield* Effect.flatMap(Queue.take(started), (process) => process.kill(signal))
        if (outcome === "taken") {
          const stdout = "ffprobe version 7.1 Copyright"
          yield* Effect.flatMap(Queue.take(started), (process) => process.end(0, { stdout }))
        }
        assert.strictEqual((yield* Fiber.join(check))._tag, outcome === "taken" ? "Success" : "Failure")
      })
    )
  }
})
