import { assert, describe, it } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import { readdirSync, readlinkSync } from "node:fs"
import { join } from "node:path"
import { endOf, nothingLeft } from "../support/End.ts"
import { eventually } from "../support/Eventually.ts"
import { watchGoodClient } from "../support/GoodClient.ts"
import { connect, type PlainClient } from "../support/PlainClient.ts"
import { readRtsp } from "../support/RtspReader.ts"
import { type Service, startReady } from "../support/Service.ts"
import { tampered, whyNoStrace } from "../support/Strace.ts"

// apt-get install strace

const cameras = ["camera0", "camera1"]

/** The file that MediaMTX writes of a camera. */
const writtenBy = ({ ground }: Service, camera: string) =>
  eventually(
    `${camera} is written`,
    Effect.sync(() => {
      const [mediaMtx] = ground.running("mediamtx")
      const fds = `/proc/${mediaMtx?.pid}/fd`
      return readdirSync(fds)
        .map((fd) => readlinkSync(join(fds, fd)))
        .find((path) => path.includes(`/recordings/${camera}_`))
    })
  )

const mediaMtxOf = ({ ground }: Service): number => ground.running("mediamtx")[0]?.pid ?? 0

const recordAll = (client: PlainClient) =>
  Effect.forEach(cameras, (device) => client.result<{ readonly filename: string }>("start_recording", { device }))

const framesOf = (client: PlainClient, device: string) =>
  Effect.map(
    client.result<{ readonly metrics: { readonly frames_sent: number } }>("get_stream_status", { device }),
    ({ metrics }) => metrics.frames_sent
  )

/** It ends in its time, and with it all that it started. */
const endsWhole = Effect.fnUntraced(function* (service: Service) {
  yield* service.kill("SIGTERM")
  assert.strictEqual((yield* endOf(service)).code, 0)
  yield* nothingLeft(service)
})

/** The next word of a recording that says this. */
const told = (client: PlainClient, status: string, device = "camera0") =>
  Effect.map(
    client.notice("recording_status_update", (update) => update["device"] === device && update["status"] === status),
    ({ filename, reason }) => ({ filename: String(filename), reason: String(reason) })
  )

interface Stopped {
  readonly files: ReadonlyArray<string>
}

describe.skipIf(whyNoStrace() !== undefined)("a MediaMTX whose kernel", () => {
  for (const [error, reason] of [
    ["ENOSPC", "no space is left on the disk"],
    ["EIO", "the disk reports an error"]
  ] as const) {
    it.live(
      `answers ${error} to what it writes into a recording: that is told of it alone, and it goes on in another file`,
      () =>
        Effect.gen(function* () {
          const service = yield* startReady()
          const client = yield* connect(service.url, yield* service.token({ role: "operator" }))
          const [first = { filename: "" }] = yield* recordAll(client)
          const file = yield* writtenBy(service, "camera0")
          yield* Effect.scoped(
            Effect.gen(function* () {
              yield* tampered(mediaMtxOf(service), "-P", file, "-e", `inject=write:error=${error}`)
              const { filename, reason: why } = yield* told(client, "ERROR")
              assert.strictEqual(filename, first.filename)
              assert.include(why, reason)
            })
          )
          const again = yield* told(client, "RECORDING")
          assert.notStrictEqual(again.filename, first.filename)
          assert.isUndefined(
            client.notices().find(({ params }) => params["device"] === "camera1" && params["status"] === "ERROR")
          )
          for (const device of cameras) {
            const before = yield* framesOf(client, device)
            yield* eventually(
              "it is served on",
              Effect.map(framesOf(client, device), (frames) => frames > before)
            )
          }
          const { files } = yield* client.result<Stopped>("stop_recording", { device: "camera0" })
          assert.deepEqual(files, [first.filename, again.filename])
          for (const filename of files) {
            const { duration } = yield* client.result<{ readonly duration: number }>("get_recording_info", { filename })
            assert.isAbove(duration, 0, filename)
          }
          yield* endsWhole(service)
        }),
      120_000
    )
  }

  it.live(
    "lets it open no file: that is told with its reason, and recordings go on when it may",
    () =>
      Effect.gen(function* () {
        const service = yield* startReady({ settings: { RECORDING_SEGMENT_SECONDS: "4" } })
        const client = yield* connect(service.url, yield* service.token({ role: "operator" }))
        yield* recordAll(client)
        yield* Effect.scoped(
          Effect.gen(function* () {
            yield* tampered(mediaMtxOf(service), "-e", "trace=openat", "-e", "inject=openat:error=EMFILE")
            for (const device of cameras) {
              assert.include((yield* told(client, "ERROR", device)).reason, "too many files are open")
            }
            const before = yield* framesOf(client, "camera0")
            yield* eventually(
              "it is served on",
              Effect.map(framesOf(client, "camera0"), (frames) => frames > before)
            )
          })
        )
        for (const device of cameras) yield* told(client, "RECORDING", device)
        yield* client.result("stop_recording", { device: "camera0" })
        yield* endsWhole(service)
      }),
    120_000
  )

  it.live(
    "takes 3 s for each write into recordings: nobody else waits, and the service ends in its time",
    () =>
      Effect.gen(function* () {
        const service = yield* startReady()
        const client = yield* connect(service.url, yield* service.token({ role: "operator" }))
        yield* recordAll(client)
        const files = yield* Effect.forEach(cameras, (camera) => writtenBy(service, camera))
        yield* tampered(
          mediaMtxOf(service),
          ...files.flatMap((file) => ["-P", file]),
          "-e",
          "inject=write:delay_enter=3000000"
        )
        const { allowed, p99 } = yield* watchGoodClient(client, { pause: Duration.millis(50), seconds: 8 })
        assert.isBelow(p99, allowed)
        yield* endsWhole(service)
      }),
    120_000
  )

  it.live(
    "lets it accept no connection: viewers are served again when it may",
    () =>
      Effect.gen(function* () {
        const service = yield* startReady()
        const token = yield* service.token({ role: "operator" })
        const client = yield* connect(service.url, token)
        yield* recordAll(client)
        const watches = readRtsp({ port: service.ground.ports.rtsp, path: "camera0", token }).pipe(
          Effect.flatMap(({ firstPacket }) => firstPacket),
          Effect.timeout("10 seconds"),
          Effect.scoped
        )
        yield* Effect.scoped(
          Effect.gen(function* () {
            yield* tampered(mediaMtxOf(service), "-e", "trace=accept4", "-e", "inject=accept4:error=EMFILE")
            assert.isTrue(Exit.isFailure(yield* Effect.exit(watches)))
          })
        )
        yield* eventually("it is watched", watches, "60 seconds")
        for (const device of cameras) {
          const before = yield* framesOf(client, device)
          yield* eventually(
            "it is streamed on",
            Effect.map(framesOf(client, device), (frames) => frames > before)
          )
        }
        yield* endsWhole(service)
      }),
    180_000
  )
})

it.live.skipIf(whyNoStrace() !== undefined)(
  "a service whose every fsync takes 3 s keeps nobody waiting",
  () =>
    Effect.gen(function* () {
      const service = yield* startReady()
      const client = yield* connect(service.url, yield* service.token({ role: "admin" }))
      const others = yield* connect(service.url, yield* service.token({ role: "admin" }))
      yield* recordAll(client)
      const slow = ["-e", "trace=fsync,fdatasync", "-e", "inject=fsync,fdatasync:delay_enter=3000000"]
      yield* tampered(service.pid, ...slow)
      yield* Effect.forkScoped(
        Effect.forever(Effect.andThen(others.call("take_snapshot", { device: "camera0" }), Effect.sleep("300 millis")))
      )
      yield* Effect.forkScoped(Effect.forever(others.call("create_api_key", { role: "viewer" })))
      const { allowed, p99 } = yield* watchGoodClient(client, { pause: Duration.millis(50), seconds: 10 })
      assert.isBelow(p99, allowed)
      // pictures wait for their fsync one after the other: what is not synced by then is given up, which is said
      yield* service.kill("SIGTERM")
      if ((yield* endOf(service)).code !== 0) assert.include(service.stderr(), "the end took too long and is given up")
      yield* nothingLeft(service)
    }),
  120_000
)
