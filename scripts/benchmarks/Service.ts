import { execFileSync, spawn } from "node:child_process"
import { once } from "node:events"
import { closeSync, existsSync, mkdtempSync, openSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { type Process, processesWith, runs, signal } from "../../test/support/Processes.ts"
import { whenBrokenOff } from "./Ending.ts"
import { quietPorts } from "../../test/support/FreePorts.ts"
import { connect, type Rpc } from "./Rpc.ts"
import { pause, until } from "./Waiting.ts"

const program = join(import.meta.dirname, "../camera-service")
const portKeys = [
  "SERVER_PORT",
  "HEALTH_PORT",
  "MEDIAMTX_API_PORT",
  "MEDIAMTX_RTSP_PORT",
  "MEDIAMTX_HLS_PORT",
  "MEDIAMTX_WEBRTC_PORT",
  "MEDIAMTX_WEBRTC_UDP_PORT",
  "MEDIAMTX_WEBRTC_TCP_PORT",
  "MEDIAMTX_PLAYBACK_PORT"
] as const

/** All load comes from one user, as fast as it is answered: each request is counted, and none is one too many. */
const unlimited = {
  LIMITS_CONNECTION_REQUESTS_PER_SECOND: 1_000_000,
  LIMITS_USER_REQUESTS_PER_SECOND: 1_000_000
}

/** Where services run, one after the other: a temporary data folder and free ports. */
export interface Ground extends Disposable {
  readonly folder: string
  readonly environment: Readonly<Record<string, string>>
  readonly ports: Readonly<Record<(typeof portKeys)[number], number>>
  /** an admin's */
  readonly token: string
  /** all that runs on it, the service included */
  readonly processes: () => ReadonlyArray<Process>
  /** those of them that run this program */
  readonly running: (name: string) => ReadonlyArray<Process>
}

/** `settings` are named as in the environment, without their prefix. */
export const makeGround = async (settings: Readonly<Record<string, string | number>> = {}): Promise<Ground> => {
  const free = await quietPorts(portKeys.length)
  const ports = Object.fromEntries(portKeys.map((key, index) => [key, free[index] ?? 0])) as Ground["ports"]
  const folder = mkdtempSync(join(tmpdir(), "camera-service-bench-"))
  const keys = {
    DATA_DIR: folder,
    ...ports,
    CAMERAS_V4L2: "false",
    TELEMETRY_LOG_FORMAT: "json",
    ...unlimited,
    ...settings
  }
  const prefixed = Object.fromEntries(
    Object.entries(keys).map(([key, value]) => [`CAMERA_SERVICE_${key}`, String(value)])
  )
  // a service that is killed leaves its temporary files: here they go with the rest
  const environment = { ...prefixed, TMPDIR: folder }
  const processes = () => processesWith(`CAMERA_SERVICE_DATA_DIR=${folder}`)
  const clear = (): void => {
    for (const { pid } of processes()) signal(pid, "SIGKILL")
    rmSync(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 })
  }
  const keep = whenBrokenOff(clear)
  const token = execFileSync(program, ["token", "--role", "admin"], { env: { ...process.env, ...environment } })
  return {
    folder,
    environment,
    ports,
    token: token.toString().trim(),
    processes,
    running: (name) => processes().filter((one) => runs(name, one)),
    [Symbol.dispose]: () => {
      clear()
      keep()
    }
  }
}

/** The production bundle, running. */
export interface Service extends AsyncDisposable {
  readonly pid: number
  readonly url: string
  /** `performance.now()` of its start */
  readonly startedAt: number
  readonly ground: Ground
  /** the file that holds what it wrote */
  readonly log: string
  /** a new connection of an admin */
  readonly connect: () => Promise<Rpc>
  /** whether `/health/ready` says so: among other things that MediaMTX has the paths of all cameras */
  readonly isReady: () => Promise<boolean>
  /** waits for that */
  readonly ready: () => Promise<void>
  /** sends SIGKILL and waits for the end */
  readonly kill: () => Promise<void>
}

const lastOf = (log: string): string => (existsSync(log) ? readFileSync(log, "utf8").slice(-1000) : "")

export interface ServiceOptions {
  /** the only one that it may run on */
  readonly core?: number
  /** instead of scripts/camera-service */
  readonly command?: ReadonlyArray<string>
}

/** Starts the service and does not wait for it. */
export const startService = (ground: Ground, { command = [program, "serve"], core }: ServiceOptions = {}): Service => {
  const log = join(ground.folder, "service.log")
  const output = openSync(log, "a")
  // should this process be killed, the kernel ends the service
  const wrapped = ["setpriv", "--pdeathsig", "KILL", ...(core === undefined ? [] : ["taskset", "-c", String(core)])]
  const startedAt = performance.now()
  const child = spawn(wrapped[0] ?? "", [...wrapped.slice(1), ...command], {
    env: { ...process.env, ...ground.environment },
    stdio: ["ignore", output, output]
  })
  closeSync(output)
  const ended = once(child, "exit")
  let asked = false
  child.once("exit", (code, name) => {
    if (!asked) process.stderr.write(`bench: the service ended by itself (${code ?? name}): ${lastOf(log)}\n`)
  })
  const { HEALTH_PORT, SERVER_PORT } = ground.ports
  const url = `ws://127.0.0.1:${SERVER_PORT}/ws`
  const pid = child.pid ?? 0
  const hasEnded = (): boolean => child.exitCode !== null || child.signalCode !== null
  const isReady = async (): Promise<boolean> => {
    if (hasEnded()) throw new Error("the service ended by itself")
    return fetch(`http://127.0.0.1:${HEALTH_PORT}/health/ready`).then(
      async (response) => (await response.arrayBuffer(), response.ok),
      () => false
    )
  }
  const kill = async (): Promise<void> => {
    asked = true
    if (!hasEnded()) child.kill("SIGKILL")
    await ended
  }
  return {
    pid,
    url,
    startedAt,
    ground,
    log,
    connect: () => connect(url, ground.token),
    isReady,
    ready: async () => void (await until("the service is ready", isReady)),
    kill,
    [Symbol.asyncDispose]: async () => {
      asked = true
      if (!hasEnded()) child.kill("SIGTERM")
      await Promise.race([ended, pause(12_000)])
      await kill()
    }
  }
}

/** A service with so many synthetic cameras on new ground, ready. */
export const startReady = async (
  cameras: number,
  settings: Readonly<Record<string, string | number>> = {},
  options: ServiceOptions = {}
): Promise<Service> => {
  const ground = await makeGround({ CAMERAS_SYNTHETIC: cameras, ...settings })
  const service = startService(ground, options)
  await service.ready()
  return {
    ...service,
    [Symbol.asyncDispose]: async () => {
      await service[Symbol.asyncDispose]()
      ground[Symbol.dispose]()
    }
  }
}
