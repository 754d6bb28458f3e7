import { assert, it } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import { chmodSync, existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs"
import { spawnSync } from "node:child_process"
import { createSocket, type Socket } from "node:dgram"
import { createServer } from "node:net"
import { getPriority, setPriority } from "node:os"
import { join } from "node:path"
import { eventually } from "../support/Eventually.ts"
import { connect } from "../support/PlainClient.ts"
import {
  bundle,
  clientOf,
  type Ended,
  type Ground,
  makeGround,
  orEnded,
  program,
  ready,
  type Run,
  run,
  type RunOptions,
  start,
  startReady,
  statusOf
} from "../support/Service.ts"

/** Runs the program to its end; the lines that say why it ended, and all it wrote. */
const runToEnd = Effect.fnUntraced(function* (ground: Ground, options?: RunOptions) {
  const running: Run = yield* run(ground, options)
  const { code }: Ended = yield* running.ended.pipe(
    Effect.timeoutOrElse({ duration: "60 seconds", orElse: () => Effect.die(new Error("it did not end")) })
  )
  const lines = running
    .stderr()
    .split("\n")
    .filter((line) => line !== "")
  // another Node is refused before there is a log
  const isService = options?.command === undefined && (options?.args ?? ["serve"])[0] === "serve"
  const complaints = isService
    ? lines.map((line) => JSON.parse(line) as { readonly level: string; readonly message: string }).filter(isFatal)
    : lines.map((message) => ({ message }))
  return { code, complaints, text: complaints.map(({ message }) => message).join("\n"), stdout: running.stdout() }
})

const isFatal = ({ level }: { readonly level: string }): boolean => level === "fatal"

/** The same of a UDP port. */
const occupyUdp = (port: number) =>
  Effect.acquireRelease(
    Effect.callback<Socket>((resume) => {
      const socket = createSocket("udp4")
      socket.bind(port, "127.0.0.1", () => resume(Effect.succeed(socket)))
    }),
    (socket) => Effect.sync(() => void socket.close())
  )

/** Holds a port of 127.0.0.1 as another program would. */
const occupy = (port: number) =>
  Effect.acquireRelease(
    Effect.callback<ReturnType<typeof createServer>>((resume) => {
      // it takes connections and says nothing
      const server = createServer((socket) => void socket.on("error", () => {}).unref())
      server.listen(port, "127.0.0.1", () => resume(Effect.succeed(server)))
    }),
    (server) => Effect.sync(() => void server.close())
  )

it.live("a bad configuration stops the start with status 78, and every wrong key, value and rule is named", () =>
  Effect.gen(function* () {
    const ground = yield* makeGround()
    const file = join(ground.folder, "bad.yml")
    writeFileSync(file, "server:\n  prot: 8002\ncodec:\n  profile: h265\nstreams: 5\n")
    const { code, complaints, text } = yield* runToEnd(ground, {
      args: ["serve", "--config", file],
      environment: {
        CAMERA_SERVICE_HEALTH_PORT: "70000",
        CAMERA_SERVICE_AUTH_JWT_SECRET: "tooshortsecret"
      }
    })
    assert.strictEqual(code, 78)
    assert.lengthOf(complaints, 1)
    assert.isAtLeast(text.split("\n").length, 6)
    assert.include(text, `${file}:2:3: server.prot: there is no such key; meant: server.port?`)
    for (const key of ["server.prot", "codec.profile", "streams", "health.port", "auth.jwt_secret"]) {
      assert.include(text, key)
    }
    for (const word of ["h265", "stanag4406 or none", "70000", "1 to 65535", "32 characters or more"]) {
      assert.include(text, word)
    }
    assert.notInclude(text, "tooshortsecret")
    assert.deepStrictEqual(ground.processes(), [])
  })
)

/** What Kubernetes tells each container of a service that is called `camera`. */
const ofKubernetes = {
  CAMERA_SERVICE_HOST: "10.0.0.7",
  CAMERA_SERVICE_PORT: "8002",
  CAMERA_SERVICE_PORT_8002_TCP: "tcp://10.0.0.7:8002"
}

it.live("variables that others set under its prefix are warned about once each, and it serves", () =>
  Effect.gen(function* () {
    const ground = yield* makeGround()
    const environment = { ...ofKubernetes, CAMERA_SERVICE_SERVR_PORT: "hush-hush" }
    const service = yield* start(ground, { environment })
    yield* ready(service)
    const warned = service.stderr().split("\n")
    for (const name of Object.keys(environment)) {
      assert.lengthOf(
        warned.filter((line) => line.includes(`${name} is no key`)),
        1,
        name
      )
    }
    assert.include(service.stderr(), "meant: CAMERA_SERVICE_SERVER_PORT?")
    assert.notInclude(service.stderr(), "hush-hush")
    const checked = yield* runToEnd(ground, { args: ["config", "check"], environment })
    assert.strictEqual(checked.code, 0)
    for (const name of Object.keys(environment)) assert.include(checked.stdout, `${name} is no key`)
    assert.include(checked.stdout, "the configuration is good")
  })
)

it.live("a configuration file that is not there, or no YAML, is said in one line", () =>
  Effect.gen(function* () {
    const ground = yield* makeGround()
    const missing = join(ground.folder, "nowhere.yml")
    const file = join(ground.folder, "broken.yml")
    writeFileSync(file, "server: [\n")
    for (const path of [missing, file]) {
      const { code, text } = yield* runToEnd(ground, { args: ["serve", "--config", path] })
      assert.strictEqual(code, 78)
      assert.include(text, path)
    }
  })
)

const portNames = ["server", "health", "api", "rtsp", "hls", "webrtc", "webrtcUdp", "playback"] as const
for (const name of portNames) {
  it.live(`the ${name} port in use: status 69, and one line that says which port`, () =>
    Effect.gen(function* () {
      const ground = yield* makeGround()
      yield* name === "webrtcUdp" ? occupyUdp(ground.ports[name]) : occupy(ground.ports[name])
      const { code, complaints, text } = yield* runToEnd(ground)
      assert.strictEqual(code, 69)
      assert.lengthOf(complaints, 1, text)
      assert.include(text, String(ground.ports[name]))
      assert.match(text, /in use/)
      assert.deepStrictEqual(ground.processes(), [])
    })
  )
}

const programs = [
  ["MEDIAMTX_BINARY", "mediamtx.binary"],
  ["FFMPEG_BINARY", "ffmpeg.binary"],
  ["FFMPEG_FFPROBE_BINARY", "ffmpeg.ffprobe_binary"]
] as const

for (const [variable, key] of programs) {
  it.live(`${key} is not there: status 69, and one line that names it and says what to do`, () =>
    Effect.gen(function* () {
      const ground = yield* makeGround()
      const program = "/nowhere/at-all"
      const { code, complaints, text } = yield* runToEnd(ground, {
        environment: { [`CAMERA_SERVICE_${variable}`]: program }
      })
      assert.strictEqual(code, 69)
      assert.lengthOf(complaints, 1, text)
      assert.include(text, program)
      assert.include(text, key)
      assert.deepStrictEqual(ground.processes(), [])
    })
  )
}

it.live("a MediaMTX that is too old is refused with its version", () =>
  Effect.gen(function* () {
    const ground = yield* makeGround()
    const old = join(ground.folder, "mediamtx")
    writeFileSync(old, '#!/bin/sh\n[ "$1" = --version ] && echo v1.9.0 && exit 0\necho "json: unknown field"\nexit 1\n')
    chmodSync(old, 0o755)
    const { code, text } = yield* runToEnd(ground, { environment: { CAMERA_SERVICE_MEDIAMTX_BINARY: old } })
    assert.strictEqual(code, 69)
    assert.include(text, `${old} is too old (v1.9.0): the service needs MediaMTX 1.21.0 or later`)
  })
)

for (const [variable, words] of [
  ["FFMPEG_BINARY", "/bin/true is no ffmpeg: the service needs FFmpeg 5.1 or later"],
  ["FFMPEG_FFPROBE_BINARY", "/bin/true is no ffprobe: the service needs FFmpeg 5.1 or later"],
  ["MEDIAMTX_BINARY", "/bin/true is no MediaMTX with a version: the service needs MediaMTX 1.21.0 or later"]
] as const) {
  it.live(`a program that is another one (${variable}) is refused in one line`, () =>
    Effect.gen(function* () {
      const ground = yield* makeGround()
      const { code, complaints, text } = yield* runToEnd(ground, {
        environment: { [`CAMERA_SERVICE_${variable}`]: "/bin/true" }
      })
      assert.strictEqual(code, 69)
      assert.lengthOf(complaints, 1, text)
      assert.include(text, words)
      assert.deepStrictEqual(ground.processes(), [])
    })
  )
}

it.live("a data folder that the kernel has no room for is refused at once", () =>
  Effect.gen(function* () {
    const ground = yield* makeGround()
    const environment = { CAMERA_SERVICE_DATA_DIR: "/proc/nothing" }
    const { code, complaints, text } = yield* runToEnd(ground, { environment })
    assert.strictEqual(code, 69)
    assert.lengthOf(complaints, 1, text)
    assert.include(text, "/proc/nothing cannot be used (ENOENT: the file or its folder is gone)")
  })
)

/** Runs a program with less inotify than it needs (user_namespaces(7)): it alone, the machine keeps its limits. */
const starved = (limit: string): ReadonlyArray<string> => [
  "unshare",
  "-Ur",
  "sh",
  "-c",
  `echo 0 > /proc/sys/user/${limit} && exec "$0" "$@"`
]
const canStarve = spawnSync("unshare", ["-Ur", "sh", "-c", "echo 0 > /proc/sys/user/max_inotify_watches"]).status === 0

for (const [limit, sysctl] of [
  ["max_inotify_instances", "fs.inotify.max_user_instances"],
  ["max_inotify_watches", "fs.inotify.max_user_watches"]
] as const) {
  it.live.runIf(canStarve)(`inotify is used up (${limit}): the log says that ${sysctl} has to be raised`, () =>
    Effect.gen(function* () {
      const ground = yield* makeGround()
      const service = yield* start(ground, { command: [...starved(limit), program] })
      yield* eventually(
        "MediaMTX's end is explained",
        Effect.sync(() =>
          service
            .stderr()
            .split("\n")
            .some((line) => line.includes("MediaMTX ended") && line.includes(`raise ${sysctl}`))
        )
      )
    })
  )
}

it.live("a second service on the data folder of the first ends with 69 and leaves the first alone", () =>
  Effect.gen(function* () {
    const first = yield* startReady()
    const other = yield* makeGround()
    const environment = { CAMERA_SERVICE_DATA_DIR: first.ground.folder }
    const { code, complaints, text } = yield* runToEnd(other, { environment })
    assert.strictEqual(code, 69)
    assert.lengthOf(complaints, 1, text)
    assert.include(text, first.ground.folder)
    assert.include(text, `process ${first.pid}`)
    yield* ready(first)
  })
)

const systemNode = "/usr/bin/node"

it.live.runIf(existsSync(systemNode))("another Node than the one it is made for is refused in one line", () =>
  Effect.gen(function* () {
    const ground = yield* makeGround()
    const version = yield* runToEnd(ground, { command: [systemNode], args: ["--version"] })
    const { code, complaints, text } = yield* runToEnd(ground, { command: [systemNode, bundle] })
    // the system's may be the right one
    if (version.stdout.startsWith("v24.")) return
    assert.strictEqual(code, 69)
    assert.lengthOf(complaints, 1, text)
    assert.include(text, "Node 24")
    assert.include(text, version.stdout.trim())
  })
)

it.live("who knocks while it starts is let in by the first answer there is", () =>
  Effect.gen(function* () {
    const ground = yield* makeGround()
    const running = yield* run(ground)
    // what is not upgraded is told to: 503 would be a service that is not there yet
    const knock = statusOf(`http://127.0.0.1:${ground.ports.server}/ws`)
    const first = yield* orEnded(running, Effect.repeat(knock, { until: (status) => status !== 0 }))
    assert.strictEqual(first, 426)
  })
)

it.live("it answers before MediaMTX is ready, and says so", () =>
  Effect.gen(function* () {
    const ground = yield* makeGround()
    const gate = join(ground.folder, "gate")
    const slow = join(ground.folder, "slow-mediamtx")
    writeFileSync(slow, `#!/bin/sh\nuntil [ -e '${gate}' ]; do sleep 0.05; done\nexec mediamtx "$@"\n`)
    chmodSync(slow, 0o755)
    const service = yield* start(ground, { environment: { CAMERA_SERVICE_MEDIAMTX_BINARY: slow } })
    const client = yield* connect(service.url, yield* service.token({ role: "operator" }))
    assert.include(yield* client.result<object>("get_camera_list"), { total: 2 })
    assert.include(yield* client.result<object>("get_system_status"), { status: "starting" })
    assert.strictEqual(yield* statusOf(`${service.health}/health/ready`), 503)
    assert.strictEqual(yield* statusOf(`${service.health}/health/live`), 200)
    // a picture needs no MediaMTX
    const { tier_name } = yield* client.result<{ readonly tier_name: string }>("take_snapshot", { device: "camera0" })
    assert.strictEqual(tier_name, "direct")
    // who asks for a stream now gets it as soon as MediaMTX is there
    const streaming = yield* Effect.forkScoped(client.result<object>("start_streaming", { device: "camera1" }))
    writeFileSync(gate, "")
    yield* ready(service)
    assert.include(yield* client.result<object>("get_system_status"), { status: "ready" })
    assert.include(yield* Fiber.join(streaming), { status: "STARTED" })
  })
)

it.live("`token` prints a token that the service of the same folder accepts, and nothing else", () =>
  Effect.gen(function* () {
    const ground = yield* makeGround()
    // before the first start: the secret is made by whoever comes first
    const made = yield* runToEnd(ground, { args: ["token", "--role", "operator", "--cameras", "camera1"] })
    assert.match(made.stdout, /^[\w-]+\.[\w-]+\.[\w-]+\n$/)
    const service = yield* start(ground)
    const client = yield* connect(service.url)
    const session = yield* client.result<object>("authenticate", { auth_token: made.stdout.trim() })
    assert.include(session, { role: "operator" })
    assert.include(yield* client.result<object>("get_camera_list"), { total: 1 })
    assert.strictEqual(made.text, `camera-service: signed with the secret of ${ground.folder}`)
    const bad = yield* runToEnd(ground, { args: ["token", "--role", "king"] })
    assert.deepInclude(bad, { code: 64, stdout: "" })
    assert.include(bad.text, "viewer, operator or admin")
  })
)

it.live("the first reply comes while MediaMTX is still starting, well before the service is ready", () =>
  Effect.gen(function* () {
    const ground = yield* makeGround()
    const began = Date.now()
    const service = yield* start(ground)
    const client = yield* connect(service.url)
    yield* client.result("ping")
    assert.isBelow(Date.now() - began, Duration.toMillis("20 seconds"))
    yield* ready(service)
  })
)

/** Whether this user may, where nobody has chosen a priority for these tests. */
const mayRaise = (): boolean => {
  if (getPriority() !== 0) return false
  try {
    setPriority(-1)
    setPriority(0)
    return true
  } catch {
    return false
  }
}

it.live("the service comes first where it may, then MediaMTX; FFmpeg and V8's helper threads are as all else", () =>
  Effect.gen(function* () {
    const [first, second] = mayRaise() ? [-15, -10] : [getPriority(), getPriority()]
    const service = yield* startReady()
    const { call } = yield* clientOf(service, { role: "operator" })
    yield* call.start_streaming({ device: "camera0" })
    const niceOf = (program: string) => service.ground.running(program).map(({ pid }) => getPriority(pid))
    assert.strictEqual(getPriority(service.pid), first)
    assert.deepStrictEqual(niceOf("mediamtx"), [second])
    assert.deepStrictEqual(niceOf("ffmpeg"), [getPriority()])
    const tasks = `/proc/${service.pid}/task`
    const helpers = readdirSync(tasks).filter((id) => readFileSync(`${tasks}/${id}/comm`, "utf8") === "V8Worker\n")
    assert.isNotEmpty(helpers)
    for (const id of helpers) assert.strictEqual(getPriority(Number(id)), getPriority())
  })
)
