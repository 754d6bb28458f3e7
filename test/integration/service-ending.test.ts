import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { execFileSync } from "node:child_process"
import { readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { endOf, nothingLeft } from "../support/End.ts"
import { eventually } from "../support/Eventually.ts"
import { connect } from "../support/PlainClient.ts"
import { type Process, signal } from "../support/Processes.ts"
import { makeGround, ready, run, type Service, start, startReady } from "../support/Service.ts"

const operatorOf = (service: Service) =>
  Effect.flatMap(service.token({ role: "operator" }), (token) => connect(service.url, token))

const secondsOf = (file: string): number =>
  Number(
    execFileSync("ffprobe", ["-v", "error", "-show_entries", "format=duration", "-of", "csv=p=0", file], {
      encoding: "utf8"
    })
  )

/** Whether a thread of one of these waits in this function of the kernel (proc(5), wchan). */
const waitsIn = (name: string, processes: ReadonlyArray<Process>): boolean =>
  processes.some(({ pid }) =>
    readdirSync(`/proc/${pid}/task`).some((task) => readFileSync(`/proc/${pid}/task/${task}/wchan`, "utf8") === name)
  )

interface Listed {
  readonly files: ReadonlyArray<{ readonly filename: string; readonly file_size: number }>
}

for (const name of ["SIGTERM", "SIGINT", "SIGQUIT"] as const) {
  it.live(`${name} while it streams and records: clients are told, the recording is whole, and nothing is left`, () =>
    Effect.gen(function* () {
      const ground = yield* makeGround()
      const service = yield* start(ground)
      yield* ready(service)
      const client = yield* operatorOf(service)
      const stranger = yield* connect(service.url)
      yield* client.result("start_streaming", { device: "camera0" })
      const { filename } = yield* client.result<{ readonly filename: string }>("start_recording", { device: "camera1" })
      const file = join(ground.folder, "recordings", filename)

      yield* service.kill(name)
      assert.deepStrictEqual(yield* endOf(service), { code: 0, signal: null })
      assert.deepStrictEqual(ground.processes(), [])
      assert.include(yield* client.notice("event"), { topic: "system.shutdown" })
      assert.strictEqual(yield* client.closed, 1001)
      assert.strictEqual(yield* stranger.closed, 1001)
      assert.deepStrictEqual(stranger.notices(), [])
      assert.isAbove(secondsOf(file), 0)

      const next = yield* start(ground)
      const again = yield* operatorOf(next)
      const { files } = yield* again.result<Listed>("list_recordings", { device: "camera1" })
      assert.deepStrictEqual(
        files.map((one) => one.filename),
        [filename]
      )
      const info = yield* again.result<{ readonly duration: number }>("get_recording_info", { filename })
      assert.approximately(info.duration, secondsOf(file), 0.05)
    })
  )
}

it.live("an FFmpeg that no longer reacts does not keep the service from ending well", () =>
  Effect.gen(function* () {
    const service = yield* startReady()
    const client = yield* operatorOf(service)
    yield* client.result("start_streaming", { device: "camera0" })
    for (const { pid } of service.ground.running("ffmpeg")) signal(pid, "SIGSTOP")
    yield* service.kill("SIGTERM")
    assert.deepStrictEqual(yield* endOf(service), { code: 0, signal: null })
    assert.deepStrictEqual(service.ground.processes(), [])
  })
)

it.live("a second signal ends it at once, and still leaves no child behind", () =>
  Effect.gen(function* () {
    const service = yield* startReady()
    const client = yield* operatorOf(service)
    yield* client.result("start_streaming", { device: "camera0" })
    // this one holds the end up
    for (const { pid } of service.ground.running("ffmpeg")) signal(pid, "SIGSTOP")
    yield* service.kill("SIGTERM")
    yield* eventually(
      "it says that a second signal ends it",
      Effect.sync(() => service.stderr().includes("once more"))
    )
    assert.isNotEmpty(service.ground.running("ffmpeg"))
    yield* service.kill("SIGTERM")
    assert.deepStrictEqual(yield* endOf(service), { code: 1, signal: null })
    yield* eventually(
      "its last words are why",
      Effect.sync(() => service.stderr().includes("SIGTERM again: ended at once"))
    )
    assert.notInclude(service.stderr(), "given up")
    yield* nothingLeft(service)
  })
)

it.live(
  "six FFmpegs and a MediaMTX that are frozen while they record: the end is not given up, and nothing is left",
  () =>
    Effect.gen(function* () {
      const service = yield* startReady({ cameras: 6 })
      const client = yield* operatorOf(service)
      for (let i = 0; i < 6; i++) yield* client.result("start_recording", { device: `camera${i}`, format: "mkv" })
      for (const name of ["ffmpeg", "mediamtx"]) {
        for (const { pid } of service.ground.running(name)) signal(pid, "SIGSTOP")
      }
      yield* service.kill("SIGTERM")
      assert.deepStrictEqual(yield* endOf(service), { code: 0, signal: null })
      yield* nothingLeft(service)
    })
)

it.live("a start that hangs on a dead disk is given up within 10 s of a signal, by its own log", () =>
  Effect.gen(function* () {
    const ground = yield* makeGround()
    execFileSync("mkfifo", [join(ground.folder, "cameras.json")])
    const service = yield* run(ground)
    yield* eventually(
      "it hangs in the file",
      Effect.sync(() => waitsIn("wait_for_partner", ground.processes()))
    )
    yield* service.kill("SIGTERM")
    assert.deepStrictEqual(yield* endOf(service), { code: 1, signal: null })
    assert.match(service.stderr(), /the end took too long and is given up","exit_status":1}\n$/)
    yield* nothingLeft({ ground })
  })
)

it.live("a signal while it starts ends it as well", () =>
  Effect.gen(function* () {
    const ground = yield* makeGround()
    const service = yield* run(ground)
    yield* eventually(
      "MediaMTX is being started",
      Effect.sync(() => ground.running("mediamtx").length > 0)
    )
    yield* service.kill("SIGTERM")
    assert.deepStrictEqual(yield* endOf(service), { code: 0, signal: null })
    assert.deepStrictEqual(ground.processes(), [])
  })
)
