import { assert, describe, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Queue from "effect/Queue"
import { TestClock } from "effect/testing"
import { readFileSync } from "node:fs"
import { join } from "node:path"
import { KernelCalls } from "../../../src/ground/KernelCalls.ts"
import { KernelFiles } from "../../../src/ground/KernelFiles.ts"
import { hour, onSettableClock } from "../../support/WallClock.ts"
import { Kernel, type KernelError } from "../../../src/device/v4l2/Kernel.ts"

/** Kernel files of which only what `read` answers is made up, by their paths. */
const filesThat = (answers: Map<string, () => Promise<string>>) =>
  Layer.effect(
    KernelFiles,
    Effect.map(KernelFiles, (files) =>
      KernelFiles.of({ ...files, read: (path) => (answers.get(path) ?? (() => Promise.resolve(path)))() })
    )
  ).pipe(Layer.provide(KernelFiles.layer))

/** A kernel whose calls end when the test says so: each open is told, and answered by its path. */
const bench = Effect.fnUntraced(function* (more: Partial<KernelCalls["Service"]> = {}) {
  const opens = yield* Queue.unbounded<string>()
  const closes = yield* Queue.unbounded<number>()
  const asked = yield* Queue.unbounded<number>()
  const hanging = new Map<string, (fd: number) => void>()
  const ioctls: Array<(done: boolean) => void> = []
  let next = 3
  const answers = new Map<string, () => Promise<string>>()
  const calls = Layer.succeed(KernelCalls, {
    open: (path) => {
      Queue.offerUnsafe(opens, path)
      if (!path.includes("hangs")) return Promise.resolve(next++)
      return new Promise((resolve) => hanging.set(path, resolve))
    },
    close: (fd) => void Queue.offerUnsafe(closes, fd),
    ioctls: () =>
      Promise.resolve({
        ioctl: () => () => 0,
        ioctlAsync: (_fd, request) => {
          Queue.offerUnsafe(asked, request)
          return new Promise((resolve) => ioctls.push(resolve))
        },
        addressOf: () => 0n
      }),
    ...more
  })
  const kernel = yield* Layer.build(Kernel.layer.pipe(Layer.provide([calls, filesThat(answers)])))
  const { open, ...reads } = yield* Effect.provide(Kernel, Layer.succeedContext(kernel))
  const answering =
    (read: (path: string) => Effect.Effect<string | undefined, KernelError>) =>
    (path: string, answer: () => Promise<string>) =>
      Effect.suspend(() => {
        answers.set(path, answer)
        return read(path)
      })
  const opened = (path: string) => Effect.scoped(Effect.as(open(path), "opened"))
  return {
    open,
    /** reads a file that answers so */
    read: answering(reads.read),
    readSoon: answering(reads.readSoon),
    closes,
    asked,
    ioctls,
    /** opens the node and closes it again; its outcome as text */
    outcome: (path: string) => Effect.catchTag(opened(path), "KernelError", ({ code }) => Effect.succeed(code)),
    begun: Queue.take(opens),
    begunSoFar: Queue.size(opens),
    /** the open that hangs ends after all */
    end: (path: string, fd: number) => Effect.sync(() => hanging.get(path)?.(fd))
  }
})

/** libuv's, which the service is started with. */
const threads = Number(
  /UV_THREADPOOL_SIZE:-(\d+)/.exec(
    readFileSync(join(import.meta.dirname, "../../../scripts/camera-service"), "utf8")
  )?.[1]
)
/** Those of them that calls may hang in. */
const places = 24

const fork = <A, E, R>(effect: Effect.Effect<A, E, R>) => Effect.forkChild(effect, { startImmediately: true })

describe("opening a node", () => {
  it.effect("is given up after 2 s, and closed should it end later", () =>
    Effect.gen(function* () {
      const { begun, closes, end, outcome } = yield* bench()
      const result = yield* fork(outcome("hangs"))
      yield* begun
      yield* TestClock.adjust("1999 millis")
      assert.isUndefined(result.pollUnsafe())
      yield* TestClock.adjust("1 millis")
      assert.strictEqual(yield* Fiber.join(result), "TIMEOUT")
      yield* end("hangs", 77)
      assert.strictEqual(yield* Queue.take(closes), 77)
    })
  )

  it.effect("that hangs three times lets a fourth be opened at once", () =>
    Effect.gen(function* () {
      const { begun, outcome } = yield* bench()
      for (const n of [1, 2, 3]) {
        yield* fork(outcome(`hangs${n}`))
        yield* begun
      }
      assert.strictEqual(yield* outcome("video4"), "opened")
      yield* TestClock.adjust("1 minute")
      assert.strictEqual(yield* outcome("video4"), "opened")
    })
  )

  it.effect("is not held up by ten that hang, and files are left a quarter of the threads however many do", () =>
    Effect.gen(function* () {
      const { begun, begunSoFar, outcome } = yield* bench()
      for (let n = 0; n < 10; n++) {
        yield* fork(outcome(`hangs${n}`))
        yield* begun
      }
      assert.strictEqual(yield* outcome("video10"), "opened")
      yield* begun
      for (let n = 10; n < threads; n++) yield* fork(outcome(`hangs${n}`))
      assert.isAtMost(10 + (yield* begunSoFar), threads * 0.75)
    })
  )

  it.effect("waits for its turn where more hang than the pool has places for, and has its 2 s then", () =>
    Effect.gen(function* () {
      const { begun, begunSoFar, end, outcome } = yield* bench()
      for (let n = 0; n < places; n++) {
        yield* fork(outcome(`hangs${n}`))
        yield* begun
      }
      const waiting = yield* fork(outcome("video9"))
      yield* TestClock.adjust("1 minute")
      assert.strictEqual(yield* begunSoFar, 0)
      assert.isUndefined(waiting.pollUnsafe())
      yield* end("hangs0", 77)
      assert.strictEqual(yield* begun, "video9")
      assert.strictEqual(yield* Fiber.join(waiting), "opened")
    })
  )

  it.effect("does not join one of the same node that hangs, and goes on when that one has ended", () =>
    Effect.gen(function* () {
      const { begun, begunSoFar, end, outcome } = yield* bench()
      const first = yield* fork(outcome("hangs"))
      yield* begun
      // also when the first one is given up by its caller
      yield* Fiber.interrupt(first)
      for (let n = 0; n < 10; n++) {
        const again = yield* fork(outcome("hangs"))
        yield* TestClock.adjust("2 seconds")
        assert.strictEqual(yield* Fiber.join(again), "TIMEOUT")
      }
      assert.strictEqual(yield* begunSoFar, 0)
      const last = yield* fork(outcome("hangs"))
      yield* end("hangs", 77)
      assert.strictEqual(yield* begun, "hangs")
      yield* end("hangs", 78)
      assert.strictEqual(yield* Fiber.join(last), "opened")
    })
  )

  it.effect("is closed when it is given up before it is its turn, or while it goes on", () =>
    Effect.gen(function* () {
      const { begun, closes, end, outcome } = yield* bench()
      const all = Array.from({ length: places + 2 }, (_, n) => n)
      const given = yield* Effect.forEach(all, (n) => fork(outcome(`hangs${n}`)))
      for (let n = 0; n < places; n++) yield* begun
      yield* Effect.forEach(given, Fiber.interrupt)
      for (let n = 0; n < places; n++) yield* end(`hangs${n}`, n)
      assert.sameMembers(yield* Queue.takeN(closes, places), all.slice(0, places))
      assert.strictEqual(yield* outcome("video0"), "opened")
    })
  )

  it.effect("fails with the errno's name, or says that ioctl cannot be called", () =>
    Effect.gen(function* () {
      const refused = yield* bench({ open: () => Promise.reject(Object.assign(new Error("no"), { code: "EACCES" })) })
      assert.strictEqual(yield* refused.outcome("video0"), "EACCES")
      const { closes, outcome } = yield* bench({ ioctls: () => Promise.reject(new Error("no such module")) })
      assert.strictEqual(yield* outcome("video0"), "NO_FFI")
      assert.strictEqual(yield* Queue.take(closes), 3)
    })
  )
})

describe("a call that may wait for the device", () => {
  it.effect("is given up after 2 s, and its node is closed when it has ended", () =>
    Effect.gen(function* () {
      const { asked, closes, ioctls, open } = yield* bench()
      const result = yield* fork(
        Effect.scoped(Effect.flatMap(open("video0"), (node) => Effect.flip(node.ioctlAsync(1, Buffer.alloc(0)))))
      )
      yield* Queue.take(asked)
      yield* TestClock.adjust("2 seconds")
      assert.strictEqual((yield* Fiber.join(result)).code, "TIMEOUT")
      assert.strictEqual(yield* Queue.size(closes), 0)
      ioctls[0]?.(true)
      assert.strictEqual(yield* Queue.take(closes), 3)
    })
  )

  it.effect("says whether the kernel did it", () =>
    Effect.gen(function* () {
      const { asked, ioctls, open } = yield* bench()
      const node = yield* open("video0")
      for (const done of [true, false]) {
        const result = yield* fork(node.ioctlAsync(1, Buffer.alloc(0)))
        yield* Queue.take(asked)
        ioctls.shift()?.(done)
        assert.strictEqual(yield* Fiber.join(result), done)
      }
    })
  )

  it.effect("counts as one of few, with what is read: those that hang leave places to others", () =>
    Effect.gen(function* () {
      const { asked, open, read } = yield* bench()
      const never = new Promise<never>(() => undefined)
      const node = yield* open("video0")
      for (const n of [1, 2, 3]) yield* fork(node.ioctlAsync(n, Buffer.alloc(0)))
      for (let n = 0; n < 3; n++) yield* Queue.take(asked)
      for (let n = 0; n < 30; n++) yield* fork(read("/sys/slow", () => never))
      assert.strictEqual(yield* read("/sys/fast", () => Promise.resolve("/sys/fast")), "/sys/fast")
    })
  )

  it.effect("is LATE after 40 ms for who has no time, and goes on: the next one waits for its end", () =>
    Effect.gen(function* () {
      const { read, readSoon } = yield* bench()
      const locked = Promise.withResolvers<string>()
      const hasty = yield* fork(Effect.flip(readSoon("/sys/serial", () => locked.promise)))
      yield* TestClock.adjust("39 millis")
      assert.isUndefined(hasty.pollUnsafe())
      yield* TestClock.adjust("1 millis")
      assert.strictEqual((yield* Fiber.join(hasty)).code, "LATE")
      const second = yield* fork(Effect.flip(readSoon("/sys/serial", () => locked.promise)))
      yield* TestClock.adjust("40 millis")
      assert.strictEqual((yield* Fiber.join(second)).code, "LATE")
      const patient = yield* fork(read("/sys/serial", () => Promise.resolve("read again")))
      yield* TestClock.adjust("1 second")
      assert.isUndefined(patient.pollUnsafe())
      locked.resolve("read first")
      assert.strictEqual(yield* Fiber.join(patient), "read again")
    })
  )

  it.effect("has its own 2 s, however many others began before or while it waits", () =>
    Effect.gen(function* () {
      const { read } = yield* bench()
      const hangs = () => new Promise<never>(() => undefined)
      const answers = () => Promise.resolve("answered")
      const first = yield* fork(Effect.flip(read("/sys/1", hangs)))
      yield* TestClock.adjust("1500 millis")
      const second = yield* fork(Effect.flip(read("/sys/2", hangs)))
      assert.strictEqual(yield* read("/sys/3", answers), "answered")
      yield* TestClock.adjust("500 millis")
      assert.strictEqual((yield* Fiber.join(first)).code, "TIMEOUT")
      yield* TestClock.adjust("1499 millis")
      assert.isUndefined(second.pollUnsafe())
      yield* TestClock.adjust("1 millis")
      assert.strictEqual((yield* Fiber.join(second)).code, "TIMEOUT")
      yield* TestClock.adjust("1 minute")
      const third = yield* fork(Effect.flip(read("/sys/4", hangs)))
      yield* TestClock.adjust("2 seconds")
      assert.strictEqual((yield* Fiber.join(third)).code, "TIMEOUT")
    })
  )

  it.effect(
    "is given up after 2 s also when the machine's clock is set meanwhile, as at the first contact by NTP",
    () =>
      onSettableClock(
        Effect.fnUntraced(function* (setWall) {
          const { read } = yield* bench()
          const hangs = () => new Promise<never>(() => undefined)
          for (const jump of [-hour, hour]) {
            const first = yield* fork(Effect.flip(read(`/sys/${jump}/1`, hangs)))
            yield* TestClock.adjust("1 second")
            setWall(jump)
            const second = yield* fork(Effect.flip(read(`/sys/${jump}/2`, hangs)))
            yield* TestClock.adjust("999 millis")
            assert.isUndefined(first.pollUnsafe())
            yield* TestClock.adjust("1 millis")
            assert.isDefined(first.pollUnsafe())
            yield* TestClock.adjust("999 millis")
            assert.isUndefined(second.pollUnsafe())
            yield* TestClock.adjust("1 millis")
            assert.isDefined(second.pollUnsafe())
          }
        })
      )
  )

  it.effect("ends with the kernel's layer, whatever still hangs", () =>
    Effect.gen(function* () {
      const begun = yield* Deferred.make<void>()
      yield* Effect.scoped(
        Effect.gen(function* () {
          const { read } = yield* bench()
          yield* fork(
            read("/sys/slow", () => {
              Deferred.doneUnsafe(begun, Effect.void)
              return new Promise<never>(() => undefined)
            })
          )
          yield* Deferred.await(begun)
        })
      )
    })
  )
})
