import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { execFileSync } from "node:child_process"
import { rmSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { eventually } from "../support/Eventually.ts"
import { connect, type PlainClient } from "../support/PlainClient.ts"
import { signal } from "../support/Processes.ts"
import { makeGround, program, ready, type Service, start } from "../support/Service.ts"
import { bytesOf, recordedOn } from "./Recorded.ts"

const stays = "while :; do sleep 1; done"

/** What a program may do instead of its work, as a shell does it. */
const animals: Readonly<Record<string, string>> = {
  "ends at once, with status 0": "exit 0",
  "writes garbage to all its pipes": "head -c 1000000 /dev/urandom | tee /dev/fd/2; exit 1",
  "floods its standard error": "exec yes '[error] there is no such thing' >&2",
  "ignores signals": `trap "" TERM INT HUP; ${stays}`,
  "closes its pipes and stays": `exec <&- >&- 2>&- 3>&-; ${stays}`,
  freezes: "kill -STOP $$",
  "leaves its work to a grandchild and waits": "sleep 1000 & wait",
  "eats memory": "exec tail /dev/zero"
}
const slow = "sleep 6"

/** Bytes that one child may allocate: what eats memory does not need the machine's for it. */
const memory = 1_500_000_000

/** What runs in place of this program, for commands with this word in them. */
const zoo = (folder: string, name: "FFMPEG" | "MEDIAMTX", prey: string) => {
  const binary = execFileSync("sh", ["-c", `command -v ${name.toLowerCase()}`], { encoding: "utf8" }).trim()
  const file = join(folder, "animal")
  return {
    environment: {
      [`CAMERA_SERVICE_${name}_BINARY`]: join(import.meta.dirname, "fixtures/zoo"),
      ZOO_ANIMAL: file,
      ZOO_PROGRAM: binary,
      ZOO_PREY: prey
    },
    comes: (animal: string) => Effect.sync(() => writeFileSync(file, animal)),
    goes: Effect.sync(() => rmSync(file))
  }
}

const startIn = Effect.fnUntraced(function* (
  name: "FFMPEG" | "MEDIAMTX",
  prey: string,
  settings: Readonly<Record<string, string>> = {}
) {
  const ground = yield* makeGround({ settings })
  const { comes, environment, goes } = zoo(ground.folder, name, prey)
  const service = yield* start(ground, { environment, command: ["prlimit", `--data=${memory}`, program] })
  yield* ready(service)
  const client = yield* connect(service.url, yield* service.token({ role: "operator" }))
  return { client, comes, goes, service }
})

const statusOfStream = (client: PlainClient, device: string) =>
  Effect.map(client.result<{ readonly status: string }>("get_stream_status", { device }), ({ status }) => status)

/** It ends when it is told to, and all that it started with it. */
const endsWhole = Effect.fnUntraced(function* (service: Service) {
  yield* service.kill("SIGTERM")
  assert.strictEqual((yield* service.ended).code, 0)
  assert.deepEqual(service.ground.processes(), [])
})

describe("an FFmpeg that", () => {
  for (const [name, animal] of Object.entries(animals)) {
    it.live(
      `${name} is its camera's trouble alone, and over when another one works`,
      () =>
        Effect.gen(function* () {
          const { client, comes, goes, service } = yield* startIn("FFMPEG", "/camera1")
          yield* client.result("start_recording", { device: "camera0" })
          yield* comes(animal)
          const { error } = yield* client.call("start_recording", { device: "camera1" })
          assert.strictEqual(error?.code, -32_050)
          assert.isNotEmpty(error?.data["detail"])
          // asked for by who waits for it: it is tried again and again
          yield* Effect.ignore(client.call("start_streaming", { device: "camera1" }))
          const before = yield* bytesOf(service, "camera0")
          yield* Effect.sleep("3 seconds")
          assert.strictEqual(yield* statusOfStream(client, "camera0"), "ACTIVE")
          assert.notStrictEqual(yield* statusOfStream(client, "camera1"), "ACTIVE")
          yield* goes
          yield* eventually(
            "the other one works",
            Effect.map(client.call("start_recording", { device: "camera1" }), (reply) => reply.error === undefined),
            "60 seconds"
          )
          yield* client.result("stop_recording", { device: "camera0" })
          assert.isAbove(yield* bytesOf(service, "camera0"), before)
          yield* endsWhole(service)
        }),
      300_000
    )
  }

  it.live(
    "starts slowly is waited for",
    () =>
      Effect.gen(function* () {
        const patient = { STREAMS_START_TIMEOUT_SECONDS: "30" }
        const { client, comes, service } = yield* startIn("FFMPEG", "/camera1", patient)
        yield* comes(slow)
        yield* client.result("start_recording", { device: "camera1" })
        yield* endsWhole(service)
      }),
    300_000
  )
})

describe("a MediaMTX that", () => {
  for (const [name, animal] of [...Object.entries(animals), ["starts slowly", slow]] as const) {
    it.live(
      `${name} is told, and when another one works the camera is recorded on`,
      () =>
        Effect.gen(function* () {
          const { client, comes, goes, service } = yield* startIn("MEDIAMTX", ".yml")
          yield* client.result("start_recording", { device: "camera0" })
          yield* comes(animal)
          for (const { pid } of service.ground.running("mediamtx")) signal(pid, "SIGKILL")
          const admin = yield* connect(service.url, yield* service.token({ role: "admin" }))
          yield* eventually(
            "it is told",
            Effect.map(
              admin.result<{ readonly components: { readonly mediamtx: string } }>("get_status"),
              ({ components }) => components.mediamtx !== "RUNNING"
            )
          )
          yield* Effect.sleep("5 seconds")
          assert.lengthOf(
            (yield* client.result<{ readonly cameras: ReadonlyArray<object> }>("get_camera_list")).cameras,
            2
          )
          yield* goes
          // one that works all the time is given 90 s to answer
          yield* ready(service, "150 seconds")
          yield* recordedOn(service, "camera0")
          yield* endsWhole(service)
        }),
      300_000
    )
  }
})
