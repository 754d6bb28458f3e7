import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { eventually } from "../support/Eventually.ts"
import { connect } from "../support/PlainClient.ts"
import { signal } from "../support/Processes.ts"
import { ready, startReady } from "../support/Service.ts"
import { recordedOn } from "./Recorded.ts"

/** Longer than a stream's output may be frozen, and than MediaMTX may be silent. */
const frozenFor = "8 seconds"

interface Status {
  readonly components: { readonly mediamtx: string }
  readonly reasons: ReadonlyArray<string>
}

for (const victims of [["ffmpeg"], ["mediamtx"], ["node"], ["ffmpeg", "mediamtx"], ["node", "mediamtx", "ffmpeg"]]) {
  it.live(
    `${victims.join(" and ")} stopped for ${frozenFor} and continued: that is told, and both cameras are recorded on, by one FFmpeg each`,
    () =>
      Effect.gen(function* () {
        const service = yield* startReady({ settings: { STREAMS_START_TIMEOUT_SECONDS: "30" } })
        const { ground } = service
        const client = yield* connect(service.url, yield* service.token({ role: "admin" }))
        for (const device of ["camera0", "camera1"]) yield* client.result("start_recording", { device })
        const pids = victims.flatMap((name) => ground.running(name).map(({ pid }) => pid))
        assert.isNotEmpty(pids)
        for (const pid of pids) signal(pid, "SIGSTOP")
        if (!victims.includes("node")) {
          yield* eventually(
            "it is told",
            Effect.map(client.result<Status>("get_status"), ({ components, reasons }) =>
              victims.includes("mediamtx") ? components.mediamtx === "ERROR" : reasons.length > 0
            )
          )
        }
        yield* Effect.sleep(frozenFor)
        for (const pid of pids) signal(pid, "SIGCONT")
        yield* ready(service)
        for (const device of ["camera0", "camera1"]) yield* recordedOn(service, device)
        yield* eventually(
          "one FFmpeg a camera",
          Effect.sync(() => ground.running("ffmpeg").length === 2)
        )
        for (const device of ["camera0", "camera1"]) yield* client.result("stop_recording", { device })
      }),
    300_000
  )
}
