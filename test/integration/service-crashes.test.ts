import { assert, it } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Scope from "effect/Scope"
import { readdirSync } from "node:fs"
import { join } from "node:path"
import { eventually } from "../support/Eventually.ts"
import { signal } from "../support/Processes.ts"
import { clientOf, type Ground, makeGround, ready, type Service, start } from "../support/Service.ts"

const rounds = 20
const victims = ["service", "mediamtx", "ffmpeg"] as const

/** A camera that streams and one that records, asked for and not waited for: the blow may fall at any moment. */
const keepBusy = Effect.fnUntraced(function* (service: Service) {
  const { call } = yield* clientOf(service, { role: "operator" })
  // the blow cuts them off
  yield* Effect.forkScoped(Effect.exit(call.start_streaming({ device: "camera0" })))
  yield* Effect.forkScoped(Effect.exit(call.start_recording({ device: "camera1" })))
  yield* Effect.forkScoped(Effect.exit(call.take_snapshot({ device: "camera0" })))
})

/** What runs on this ground and is no child of the service, and no child's child; all of it when the service is gone. */
const strays = (ground: Ground, service: number) => {
  const all = ground.processes()
  const known = new Set([service])
  for (let size = 0; size < known.size;) {
    size = known.size
    for (const { parent, pid } of all) if (known.has(parent)) known.add(pid)
  }
  const alive = all.some(({ pid }) => pid === service)
  return all.filter(({ pid }) => !(alive && known.has(pid)))
}

it.live(
  `kill -9 of the service, MediaMTX or FFmpeg, ${rounds} times at any moment, leaves no orphan, and it goes on at once`,
  () =>
    Effect.gen(function* () {
      const ground = yield* makeGround()
      let scope = yield* Scope.fork(yield* Effect.scope)
      let service = yield* Scope.provide(start(ground), scope)
      yield* Scope.provide(keepBusy(service), scope)

      for (let round = 0; round < rounds; round++) {
        const victim = victims[round % victims.length] ?? "service"
        // not a wait for something: the moment itself is what is random
        const moment = Math.round(Math.random() * 700)
        yield* Effect.sleep(Duration.millis(moment))
        const where = `round ${round}: ${victim} killed after ${moment} ms`
        const targets = victim === "service" ? [service.pid] : ground.running(victim).map(({ pid }) => pid)
        for (const pid of targets) signal(pid, "SIGKILL")
        if (victim === "service") yield* service.ended
        yield* eventually(
          `no orphan after ${where}`,
          Effect.sync(() => strays(ground, service.pid).length === 0)
        )
        if (victim === "service") {
          yield* Scope.close(scope, Exit.void)
          scope = yield* Scope.fork(yield* Effect.scope)
          service = yield* Scope.provide(start(ground), scope)
          yield* Scope.provide(keepBusy(service), scope)
        }
      }
      yield* ready(service)
      const client = yield* clientOf(service, { role: "operator" })
      yield* client.call.start_streaming({ device: "camera0" })
      yield* client.call.take_snapshot({ device: "camera0" })
      yield* Scope.close(scope, Exit.void)
    }),
  150_000
)

it.live("MediaMTX killed: its paths come back, and the stream that ran is ready again", () =>
  Effect.gen(function* () {
    const ground = yield* makeGround()
    const service = yield* start(ground)
    yield* ready(service)
    const client = yield* clientOf(service, { role: "operator" })
    yield* client.call.start_streaming({ device: "camera0" })
    const [before] = ground.running("mediamtx")
    signal(before?.pid ?? 0, "SIGKILL")
    yield* eventually(
      "another MediaMTX runs",
      Effect.sync(() => ground.running("mediamtx").some(({ pid }) => pid !== before?.pid))
    )
    yield* eventually(
      "the stream is back",
      Effect.map(
        client.call.get_stream_status({ device: "camera0" }),
        (found) => found.ready && found.status === "ACTIVE"
      )
    )
    yield* ready(service)
  })
)

it.live("FFmpeg killed: the stream is started again, and the status tells how often", () =>
  Effect.gen(function* () {
    const ground = yield* makeGround()
    const service = yield* start(ground)
    yield* ready(service)
    const client = yield* clientOf(service, { role: "operator" })
    yield* client.call.start_streaming({ device: "camera0" })
    for (const { pid } of ground.running("ffmpeg")) signal(pid, "SIGKILL")
    yield* eventually(
      "the stream is back",
      Effect.map(
        client.call.get_stream_status({
          device: "camera0"
        }),
        (found) => found.ready && found.restarts === 1
      )
    )
  })
)

it.live(
  "the service killed while it records: what was on disk is a recording at the next start, and it goes on in a new one",
  () =>
    Effect.gen(function* () {
      const ground = yield* makeGround()
      const service = yield* start(ground)
      yield* ready(service)
      const client = yield* clientOf(service, { role: "operator" })
      const started = yield* client.call.start_recording({ device: "camera0" })
      yield* service.kill("SIGKILL")
      yield* service.ended
      assert.include(readdirSync(join(ground.folder, "recordings")), started.filename)
      const next = yield* start(ground)
      const again = yield* clientOf(next, { role: "operator" })
      const info = yield* eventually(
        "the recording is indexed with what is in it",
        Effect.map(
          again.call.get_recording_info({
            filename: started.filename
          }),
          (found) => (found.duration > 0 ? found : undefined)
        )
      )
      assert.strictEqual(info.codec, "h264")
      yield* eventually(
        "it goes on",
        Effect.map(again.call.list_recordings({}), ({ total }) => total === 2)
      )
      const { files } = yield* again.call.stop_recording({ device: "camera0" })
      assert.lengthOf(files, 1)
      assert.notInclude(files, started.filename)
    })
)
