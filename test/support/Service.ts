import * as Context from "effect/Context"
import * as Deferred from "effect/Deferred"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import { SignJWT } from "jose/jwt/sign"
import { type ChildProcess, execFileSync, spawn } from "node:child_process"
import { mkdtempSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import type { Role } from "../../schema/Auth.ts"
import { CameraClient } from "../../schema/client/CameraClient.ts"
import { eventually } from "./Eventually.ts"
import { freePorts } from "./FreePorts.ts"
import { type Process, processesWith, runs, signal } from "./Processes.ts"

const root = join(import.meta.dirname, "../..")
export const program = join(root, "scripts/camera-service")

/** A start takes a fifth of a second; one that is not there by then hangs. */
const startTime = "60 seconds"

let built = false
/** The production bundle is what is tested. */
const build = Effect.sync(() => {
  if (!built) execFileSync(join(root, "scripts/build"), ["--if-needed"], { stdio: ["ignore", "ignore", "inherit"] })
  built = true
})

type Environment = Readonly<Record<string, string>>

/** Where a service runs: its folder and its ports, which outlast it. */
export interface Ground {
  readonly folder: string
  readonly ports: {
    readonly server: number
    readonly health: number
    readonly api: number
    readonly rtsp: number
    readonly hls: number
    readonly webrtc: number
    readonly webrtcUdp: number
    readonly webrtcTcp: number
    readonly playback: number
  }
  readonly environment: Environment
  /** every process that runs on it: the service and its children */
  readonly processes: () => ReadonlyArray<Process>
  /** those of them that run this program */
  readonly running: (name: string) => ReadonlyArray<Process>
}

export interface GroundOptions {
  readonly cameras?: number
  /** settings as the environment gives them, without their prefix: `STREAMS_VIEWER_LINGER_SECONDS` */
  readonly settings?: Environment
  /** nothing is compiled: the bundle is there */
  readonly isBuilt?: boolean
  /** a data folder that is there and stays, instead of a new one */
  readonly folder?: string
}

/** A folder and free ports; when the scope closes nothing that runs on them is left. */
export const makeGround = Effect.fnUntraced(function* ({
  cameras = 2,
  folder: kept,
  isBuilt = false,
  settings = {}
}: GroundOptions = {}) {
  if (!isBuilt) yield* build
  const [server = 0, health = 0, api = 0, rtsp = 0, hls = 0, webrtc = 0, webrtcUdp = 0, webrtcTcp = 0, playback = 0] =
    yield* freePorts(9)
  const folder = yield* Effect.acquireRelease(
    Effect.sync(() => kept ?? mkdtempSync(join(tmpdir(), "camera-service-test-"))),
    (made) =>
      Effect.sync(() => {
        for (const { pid } of processesWith(`CAMERA_SERVICE_DATA_DIR=${made}`)) signal(pid, "SIGKILL")
        if (kept === undefined) rmSync(made, { recursive: true, force: true, maxRetries: 5 })
      })
  )
  const keys: Record<string, string | number | boolean> = {
    DATA_DIR: folder,
    SERVER_PORT: server,
    HEALTH_PORT: health,
    MEDIAMTX_API_PORT: api,
    MEDIAMTX_RTSP_PORT: rtsp,
    MEDIAMTX_HLS_PORT: hls,
    MEDIAMTX_WEBRTC_PORT: webrtc,
    MEDIAMTX_WEBRTC_UDP_PORT: webrtcUdp,
    MEDIAMTX_WEBRTC_TCP_PORT: webrtcTcp,
    MEDIAMTX_PLAYBACK_PORT: playback,
    CAMERAS_SYNTHETIC: cameras,
    CAMERAS_V4L2: false,
    TELEMETRY_LOG_FORMAT: "json",
    // the machine's own disk may be full for all that the tests need
    STORAGE_REFUSE_PERCENT: 100,
    STORAGE_RESERVE_MB: 0,
    ...settings
  }
  const environment = Object.fromEntries(
    Object.entries(keys).map(([key, value]) => [`CAMERA_SERVICE_${key}`, String(value)])
  )
  const processes = () => processesWith(`CAMERA_SERVICE_DATA_DIR=${folder}`)
  return {
    folder,
    ports: { server, health, api, rtsp, hls, webrtc, webrtcUdp, webrtcTcp, playback },
    environment,
    processes,
    running: (name) => processes().filter((one) => runs(name, one))
  } satisfies Ground as Ground
})

/** How a program ended. */
export interface Ended {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
}

export interface Run {
  readonly pid: number
  readonly stdout: () => string
  /** what it has written so far: the log, and the complaint it ended with */
  readonly stderr: () => string
  readonly ended: Effect.Effect<Ended>
  readonly kill: (name: NodeJS.Signals) => Effect.Effect<void>
}

const collect = (child: ChildProcess): Run => {
  const said = { stdout: "", stderr: "" }
  child.stdout?.setEncoding("utf8").on("data", (text: string) => void (said.stdout += text))
  child.stderr?.setEncoding("utf8").on("data", (text: string) => void (said.stderr += text))
  const ended = Deferred.makeUnsafe<Ended>()
  child.once("close", (code, name) => Deferred.doneUnsafe(ended, Effect.succeed({ code, signal: name })))
  const pid = child.pid ?? 0
  return {
    pid,
    stdout: () => said.stdout,
    stderr: () => said.stderr,
    ended: Deferred.await(ended),
    kill: (name) => Effect.sync(() => signal(pid, name))
  }
}

export interface RunOptions {
  readonly args?: ReadonlyArray<string>
  readonly environment?: Environment
  /** instead of scripts/camera-service */
  readonly command?: ReadonlyArray<string>
  /** somebody else than who runs the tests; the data folder is given to them */
  readonly user?: string
  /** how long its start may take */
  readonly within?: Duration.Input
}

/** Runs the program; it is killed with the scope. Nothing is waited for. */
export const run = Effect.fnUntraced(function* (ground: Ground, options: RunOptions = {}) {
  const { args = ["serve"], environment = {}, user } = options
  const as = user === undefined ? [] : ["setpriv", `--reuid=${user}`, "--clear-groups", "--no-new-privs"]
  const command = [...as, ...(options.command ?? [program])]
  if (user !== undefined) execFileSync("chown", ["-R", user, ground.folder])
  return yield* Effect.acquireRelease(
    Effect.sync(() => {
      const env = { ...process.env, ...ground.environment, ...environment }
      return collect(
        spawn(command[0] ?? "", [...command.slice(1), ...args], { env, stdio: ["ignore", "pipe", "pipe"] })
      )
    }),
    (running) => Effect.andThen(running.kill("SIGKILL"), running.ended)
  )
})

/** The bundle's main file, for tests that run it on another Node. */
export const bundle = join(root, "dist/camera-service.cjs")

export interface Grant {
  readonly role: Role
  readonly cameras?: ReadonlyArray<string>
  readonly user?: string
  /** seconds */
  readonly ttl?: number
}

/** A service that runs. */
export interface Service extends Run {
  readonly ground: Ground
  readonly url: string
  readonly files: string
  readonly health: string
  /** a token as `camera-service token` signs it, with the secret of the data folder */
  readonly token: (grant: Grant) => Effect.Effect<string>
}

const sign = (folder: string) => (grant: Grant) =>
  Effect.promise(() => {
    const secret = readFileSync(join(folder, "secrets/jwt_secret"), "utf8").trim()
    const now = Math.floor(Date.now() / 1000)
    const { role, cameras, ttl = 600, user = "test" } = grant
    return new SignJWT({ user_id: user, role, ...(cameras === undefined ? {} : { cameras }) })
      .setProtectedHeader({ alg: "HS256" })
      .setIssuedAt(now)
      .setExpirationTime(now + ttl)
      .sign(new TextEncoder().encode(secret))
  })

/** The status of a probe; 0 while nobody answers. */
export const statusOf = (url: string, options: RequestInit = {}) =>
  Effect.promise(() =>
    fetch(url, options).then(
      async (response) => (await response.arrayBuffer(), response.status),
      () => 0
    )
  )

/** Fails at once, with what it said, when the program ends instead. */
export const orEnded = <A, E, R>(running: Run, effect: Effect.Effect<A, E, R>) =>
  Effect.raceFirst(
    effect,
    Effect.flatMap(running.ended, ({ code, signal: name }) =>
      Effect.die(new Error(`the service ended (${code ?? name}):\n${running.stderr().slice(-4000)}`))
    )
  )

/** Starts the service and waits until its JSON-RPC port answers. */
export const start = Effect.fnUntraced(function* (ground: Ground, options: RunOptions = {}) {
  const running = yield* run(ground, options)
  const { health, server } = ground.ports
  const service: Service = {
    ...running,
    ground,
    url: `ws://127.0.0.1:${server}/ws`,
    files: `http://127.0.0.1:${server}`,
    health: `http://127.0.0.1:${health}`,
    token: sign(ground.folder)
  }
  const answers = Effect.map(statusOf(`${service.health}/health/live`), (status) => status === 200)
  yield* orEnded(running, eventually("the service answers", answers, options.within ?? startTime))
  return service
})

/** The typed client, for whoever the grant makes a token for; it connects with the first call. */
export const clientOf = Effect.fnUntraced(function* (service: Pick<Service, "url" | "token">, grant: Grant) {
  return yield* CameraClient.make({ url: service.url, token: Redacted.make(yield* service.token(grant)) })
})

/** Waits until `GET /health/ready` says so. */
export const ready = (service: Service, within: Duration.Input = startTime) =>
  orEnded(
    service,
    eventually(
      "the service is ready",
      Effect.map(statusOf(`${service.health}/health/ready`), (status) => status === 200),
      within
    )
  )

/** A service on new ground, ready. */
export const startReady = Effect.fnUntraced(function* (options: GroundOptions & Pick<RunOptions, "environment"> = {}) {
  const { environment = {} } = options
  const service = yield* start(yield* makeGround(options), { environment })
  yield* ready(service)
  return service
})

/** One service for several tests. */
export class SharedService extends Context.Service<SharedService, Service>()("camera-service/test/SharedService") {
  static readonly layer = (options?: GroundOptions) => Layer.effect(SharedService, startReady(options))
}
