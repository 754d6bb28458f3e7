import { it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { TestClock } from "effect/testing"
import { examine } from "../../src/doctor/Doctor.ts"
import { Machine } from "../../src/ground/Machine.ts"
import { TestGround } from "../../testing/TestGround.ts"

const secret = "s".repeat(43)
export const bytes = (text: string) => new TextEncoder().encode(text)
export const from = (environment: Readonly<Record<string, string>> = {}, file?: string) => ({
  file,
  environment: { CAMERA_SERVICE_DATA_DIR: "/data", ...environment }
})

export const encoders = " V....D libx264              H.264\n VFS..D mjpeg                MJPEG\n"

/** A box on which all is well: what follows makes one thing ill. */
const well = Effect.gen(function* () {
  const { disk, programs } = yield* TestGround
  yield* TestClock.setTime(Date.now())
  for (const name of ["ffmpeg", "ffprobe"]) {
    programs.play(name, ({ args, stdout }) =>
      Effect.sync(() => {
        stdout(bytes(args.includes("-encoders") ? encoders : `${name} version 7.1 Copyright\n`))
        return { code: 0 }
      })
    )
  }
  disk.outside.makeFolder("/data")
  disk.outside.makeFolder("/data/secrets")
  disk.outside.makeFolder("/etc")
  disk.outside.write("/data/secrets/jwt_secret", bytes(secret))
  disk.outside.write("/etc/group", bytes("root:x:0:\nvideo:x:44:tester\n"))
})

export const look = Effect.fnUntraced(function* (origin = from()) {
  const { results } = yield* examine(origin)
  return {
    of: (name: string) => results.find((one) => one.name === name),
    ill: results.filter(({ severity }) => severity !== "ok").map(({ name }) => name),
    results
  }
})

const inVideo = Machine.of({
  name: () => "box",
  own: { pid: 1, runtime: "node v24.0.0", architecture: "x64" },
  user: () => ({ name: "tester", id: 1000, groups: [1000, 44] }),
  clockIsKept: Effect.succeed(true),
  memory: () => ({ resident: 0, anonymous: 0, heapUsed: 0 }),
  residentOf: () => 0,
  room: () => ({ total: 4e9, available: 2e9 }),
  processorSeconds: () => 0,
  processors: () => ({ all: 0, busy: 0 }),
  processorWait: () => 0,
  works: () => Effect.succeed(false)
})

export const test = <E>(
  name: string,
  body: Effect.Effect<void, E, Effect.Services<ReturnType<typeof look>> | Scope.Scope | TestGround>,
  machine: Partial<Machine["Service"]> = {}
) =>
  it.effect(name, () =>
    Effect.andThen(well, body).pipe(
      Effect.provideService(Machine, Machine.of({ ...inVideo, ...machine })),
      Effect.provide(TestGround.layer),
      Effect.scoped
    )
  )
