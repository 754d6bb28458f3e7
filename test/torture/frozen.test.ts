import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { eventually } from "../support/Eventually.ts"
import { connect } from "../support/PlainClient.ts"
import { signal } from "../support/Processes.ts"
import { ready, startReady } from "../support/Service.ts"

/** Longer than a stream's output may be frozen, and than MediaMTX may be silent. */
const frozenFor = "8 seconds"

interface Listed {
  readonly files: ReadonlyArray<{ readonly filename: string; readonly file_size: number }>
}

for (const victims of [["ffmpeg"], ["mediamtx"], ["node"], ["ffmpeg", "mediamtx"], ["node", "mediamtx", "ffmpeg"]]) {
  it.live(
    `${victims.join(" and ")} stopped for ${frozenFor} and continued: both cameras are recorded on, by one FFmpeg each`,
    () =>
      Effect.gen(function* () {
        const service = yield* startReady()
        const { ground } = service
        const client = yield* connect(service.url, yield* service.token({ role: "operator" }))
        for (const device of ["camera0", "camera1"]) yield* client.result("start_recording", { device })
        const pids = victims.flatMap((name) => ground.running(name).map(({ pid }) => pid))
        assert.isNotEmpty(pids)
        for (const pid of pids) signal(pid, "SIGSTOP")
        yield* Effect.sleep(frozenFor)
        for (const pid of pids) signal(pid, "SIGCONT")
        yield* ready(service)
        for (const device of ["camera0", "camera1"]) {
          const newest = Effect.map(client.result<Listed>("list_recordings", { device }), ({ files }) => files[0])
          const { filename } = yield* eventually(`${device} is recorded`, newest)
          yield* eventually(
            `the bytes of ${device} come`,
            Effect.map(client.call("get_stream_status", { device }), ({ result }) => isActive(result)),
            "15 seconds"
          )
          assert.match(filename, /\.mp4$/)
        }
        yield* eventually(
          "one FFmpeg a camera",
          Effect.sync(() => ground.running("ffmpeg").length === 2),
          "10 seconds"
        )
        for (const device of ["camera0", "camera1"]) yield* client.result("stop_recording", { device })
      }),
    60_000
  )
}

const isActive = (result: unknown): boolean => (result as { readonly status?: string } | undefined)?.status === "ACTIVE"
