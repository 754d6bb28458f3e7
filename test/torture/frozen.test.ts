import { assert, it } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import { eventually } from "../support/Eventually.ts"
import { connect, type PlainClient } from "../support/PlainClient.ts"
import { signal } from "../support/Processes.ts"
import { ready, startReady } from "../support/Service.ts"
import { recordedOn } from "./Recorded.ts"

/** Longer than a stream's output may be frozen, and than MediaMTX may be silent. */
const frozenSeconds = 8
const frozenFor = Duration.seconds(frozenSeconds)

const cameras = ["camera0", "camera1"]

interface Listed {
  readonly cameras: ReadonlyArray<unknown>
}

interface Stopped {
  readonly duration: number
  readonly files: ReadonlyArray<string>
  readonly reason?: string
}

interface Status {
  readonly components: { readonly mediamtx: string }
}

/** It may be recorded again a millisecond later. */
const isTroubled = (client: PlainClient, camera: string): boolean =>
  client
    .notices()
    .some(
      ({ method, params: { device, reason, status } }) =>
        method === "recording_status_update" && device === camera && status === "ERROR" && reason === "no frame for 3 s"
    )

for (const victims of [["ffmpeg"], ["mediamtx"], ["node"], ["ffmpeg", "mediamtx"], ["node", "mediamtx", "ffmpeg"]]) {
  it.live(
    `${victims.join(" and ")} stopped for ${frozenSeconds} s and continued: that is told, and both cameras are recorded on, by one FFmpeg each`,
    () =>
      Effect.gen(function* () {
        const service = yield* startReady({ settings: { STREAMS_START_TIMEOUT_SECONDS: "30" } })
        const { ground } = service
        const client = yield* connect(service.url, yield* service.token({ role: "admin" }))
        for (const device of cameras) yield* client.result("start_recording", { device })
        const pids = victims.flatMap((name) => ground.running(name).map(({ pid }) => pid))
        assert.isNotEmpty(pids)
        for (const pid of pids) signal(pid, "SIGSTOP")
        if (!victims.includes("node")) {
          yield* eventually(
            "it is told",
            victims.includes("mediamtx")
              ? Effect.map(client.result<Status>("get_status"), ({ components }) => components.mediamtx === "ERROR")
              : Effect.sync(() => cameras.every((device) => isTroubled(client, device)))
          )
        }
        // asked while nobody answers
        const asked = yield* Effect.forkScoped(client.result<Listed>("get_camera_list"))
        yield* Effect.sleep(frozenFor)
        for (const pid of pids) signal(pid, "SIGCONT")
        assert.lengthOf((yield* Fiber.join(asked)).cameras, cameras.length)
        yield* ready(service)
        // the service itself has nobody else who tells it
        if (victims.includes("node")) {
          yield* eventually(
            "it is told",
            Effect.sync(() => service.stderr().includes("the service stood still"))
          )
        }
        for (const device of cameras) yield* recordedOn(service, device)
        yield* eventually(
          "one FFmpeg a camera",
          Effect.sync(() => ground.running("ffmpeg").length === 2)
        )
        for (const device of cameras) {
          const { duration, files, reason } = yield* client.result<Stopped>("stop_recording", { device })
          assert.isUndefined(reason)
          // MediaMTX and FFmpeg need nobody for what is recorded already
          assert.isAbove(duration, victims.join() === "node" ? frozenSeconds : 0.5)
          for (const file of files) {
            const info = yield* client.result<Stopped>("get_recording_info", { filename: file })
            assert.isAbove(info.duration, 0, file)
          }
        }
      }),
    300_000
  )
}
