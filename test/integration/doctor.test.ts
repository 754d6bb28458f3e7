import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { createServer } from "node:net"
import { existsSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { eventually } from "../support/Eventually.ts"
import { type Ground, makeGround, ready, run, start } from "../support/Service.ts"

interface Report {
  readonly severity: string
  readonly checks: ReadonlyArray<{ readonly name: string; readonly severity: string; readonly evidence: string }>
}

/** This machine may have no time server. */
const onBox = (report: Report) => report.checks.filter(({ name }) => name !== "clock" && name !== "memory")
const illIn = (report: Report) => onBox(report).filter(({ severity }) => severity !== "ok")
const of = (report: Report, name: string) => report.checks.find((one) => one.name === name)

const examine = Effect.fnUntraced(function* (ground: Ground, environment: Readonly<Record<string, string>> = {}) {
  const doctor = yield* run(ground, { args: ["doctor", "--json"], environment })
  const { code } = yield* doctor.ended
  const report = JSON.parse(doctor.stdout()) as Report
  assert.strictEqual(code, { ok: 0, warning: 1, failure: 2 }[report.severity])
  return report
})

it.live("the doctor finds a machine well before the start and while the service runs, and makes nothing", () =>
  Effect.gen(function* () {
    const ground = yield* makeGround()
    assert.deepStrictEqual(illIn(yield* examine(ground)), [])
    assert.isFalse(existsSync(join(ground.folder, "secrets")))
    const service = yield* start(ground)
    yield* ready(service)
    const report = yield* examine(ground)
    assert.deepStrictEqual(illIn(report), [])
    assert.include(of(report, "service")?.evidence, `process ${service.pid}`)
    assert.include(of(report, "ports")?.evidence, `this service has ${ground.ports.server} (server.port)`)
  })
)

it.live("the doctor names whoever has a port, programs that are not there, and all errors of a file", () =>
  Effect.gen(function* () {
    const ground = yield* makeGround()
    const server = createServer().listen(ground.ports.rtsp, "127.0.0.1")
    yield* Effect.addFinalizer(() => Effect.sync(() => void server.close()))
    yield* eventually(
      "it listens",
      Effect.sync(() => server.listening)
    )
    const missing = { CAMERA_SERVICE_FFMPEG_BINARY: "no-ffmpeg", CAMERA_SERVICE_MEDIAMTX_BINARY: "no-mediamtx" }
    const report = yield* examine(ground, missing)
    assert.deepStrictEqual(
      illIn(report).map(({ name }) => name),
      ["ffmpeg", "encoders", "mediamtx", "ports"]
    )
    assert.include(of(report, "ports")?.evidence, `(${process.pid}) listens there`)

    const file = join(ground.folder, "config.yaml")
    writeFileSync(file, "server:\n  prot: 1\n  port: x\n")
    const other = of(yield* examine(ground, { CAMERA_SERVICE_CONFIG: file }), "configuration")
    for (const word of ["server.prot", "server.port"]) assert.include(other?.evidence, word)
  })
)

it.live("a file that is there is not written over by a bundle, and the status says so", () =>
  Effect.gen(function* () {
    const ground = yield* makeGround()
    const file = join(ground.folder, "mine.tar.gz")
    writeFileSync(file, "mine")
    const doctor = yield* run(ground, { args: ["doctor", "--bundle", file] })
    assert.strictEqual((yield* doctor.ended).code, 73)
    assert.include(doctor.stderr(), "mine.tar.gz is there already")
    assert.strictEqual(readFileSync(file, "utf8"), "mine")
  })
)
