import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import { Disk } from "../../src/ground/Disk.ts"
import { Ffmpeg } from "../../src/process/Ffmpeg.ts"
import { makeRemux } from "../../src/recording/Remux.ts"
import { memoryGround } from "../storage/Workbench.ts"

it.effect(
  "segments that come faster than they are remuxed do not wait without a bound: the rest stays what it is",
  () =>
    Effect.gen(function* () {
      const ffmpeg = Ffmpeg.of({
        start: () => Effect.die("nobody starts one"),
        run: () => Effect.never,
        picture: () => Effect.die("nobody wants one"),
        preparePicture: () => Effect.die("nobody wants one"),
        pour: () => Effect.never,
        probe: () => Effect.die("nobody looks into one"),
        check: Effect.void
      })
      const remux = yield* makeRemux(yield* Disk, ffmpeg)
      const one = (number: number) =>
        remux(`/recordings/${number}.mkv`, {
          format: "mkv",
          remuxing: Effect.void,
          givenUp: Effect.never,
          isHurried: () => false
        })
      const fork = (number: number) => Effect.forkChild(one(number), { startImmediately: true })
      const waiting = yield* Effect.forEach(
        Array.from({ length: 100 }, (_, i) => i),
        fork
      )
      const { copy, flaw } = yield* one(100)
      assert.isUndefined(copy)
      assert.include(flaw, "too many wait to be copied")
      yield* Fiber.interruptAll(waiting)
      const next = yield* fork(101)
      assert.isUndefined(next.pollUnsafe())
      yield* Fiber.interrupt(next)
    }).pipe(Effect.provide(memoryGround))
)
