import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Stream from "effect/Stream"
import * as SubscriptionRef from "effect/SubscriptionRef"
import { Disk } from "../src/ground/Disk.ts"
import { type JsonReply, type JsonRequest, NoReply } from "../src/ground/Loopback.ts"
import { monotonicMillis } from "../src/ground/Time.ts"
import type { PathOptions } from "../src/process/MediaMtxReplies.ts"
import { decodeConfiguration } from "./MediaMtxConfiguration.ts"
import type { MediaMtxFaults } from "./MediaMtxFaults.ts"
import { makePaths, refusal } from "./MediaMtxPaths.ts"
import { callApi, change, described, type HttpReader, type Question, type Run } from "./MediaMtxRun.ts"
import { serveClient } from "./MediaMtxRtsp.ts"
import { answerHls, answerWhep } from "./MediaMtxReaders.ts"
import { makeSessions, type Sessions } from "./MediaMtxSessions.ts"
import { MemoryDisk, type Outside } from "./MemoryDisk.ts"
import { Refused } from "./MemoryFiles.ts"
import { Peers } from "./MemoryTcp.ts"
import { type Listener, Ports } from "./MemoryLoopback.ts"
import { type Ending, type PlayedProcess, Programs } from "./Programs.ts"

/**
 * MediaMTX (v1.21) as a played process: `mediamtx CONFIG` reads its configuration from the disk, takes its ports, asks the
 * hook that the file names, and answers its API's URLs. `test/support/MediaMtxApiBehaviour.ts` holds it to the real one.
 */
export class PlayedMediaMtx extends Context.Service<
  PlayedMediaMtx,
  Sessions & {
    readonly faults: SubscriptionRef.SubscriptionRef<MediaMtxFaults>
    /** changes what is wrong with it */
    readonly disturb: (faults: Partial<MediaMtxFaults>) => Effect.Effect<void>
    /** SIGKILL: its paths are gone with it */
    readonly crash: Effect.Effect<void>
    /** each call since the start that was to change a path, such as `patch camera0` */
    readonly calls: () => ReadonlyArray<string>
    /** the options that a path has now, set by the service or by hand; undefined where there is no such path */
    readonly options: (path: string) => Effect.Effect<PathOptions | undefined>
    /** changes a path's options past its API, as a debugger could */
    readonly patch: (path: string, options: PathOptions) => Effect.Effect<void>
    /** who reads over HTTP now: with WebRTC and HLS */
    readonly readers: () => ReadonlyArray<HttpReader>
    /** how many were let in over HTTP, and wait for a stream */
    readonly held: () => number
    readonly setReaders: (path: string, readers: number) => Effect.Effect<void>
  }
>()("camera-service/testing/PlayedMediaMtx") {
  static readonly layer = Layer.effect(
    PlayedMediaMtx,
    Effect.suspend(() => played)
  )
}

const played = Effect.gen(function* () {
  const disk = yield* Disk
  const { outside } = yield* MemoryDisk
  const peers = yield* Peers
  const ports = yield* Ports
  const programs = yield* Programs
  const faults = yield* SubscriptionRef.make<MediaMtxFaults>({ hangs: false })
  let run: Run | undefined
  let runs = 0
  const calls: Array<string> = []

  /** Asks the hook as `internal/auth/manager.go` does. */
  const isAllowed = ({ hook }: Run, question: Question) =>
    ports
      .request(hook.port, {
        ...hook,
        method: "POST",
        body: {
          token: question.password,
          path: "",
          query: "",
          id: null,
          ip: "127.0.0.1",
          protocol: "",
          ...question
        }
      })
      .pipe(
        Effect.map(({ status }) => status < 300),
        Effect.orElseSucceed(() => false)
      )

  const create: Outside["create"] = (path) => {
    const { opens } = SubscriptionRef.getUnsafe(faults)
    if (opens !== undefined) throw new Refused(opens, "open", path)
    return outside.create(path)
  }
  const handshake = Effect.suspend(() => Effect.sleep(SubscriptionRef.getUnsafe(faults).handshake ?? 0))
  const { publish, read } = makeSessions(ports, { create }, () => run, handshake, isAllowed)

  const answer = (now: Run, request: JsonRequest): Effect.Effect<JsonReply, NoReply> =>
    Effect.gen(function* () {
      const { answers, breaks, hangs, slow } = yield* SubscriptionRef.get(faults)
      if (breaks === true) return yield* new NoReply({ detail: "read ECONNRESET" })
      if (hangs || (yield* SubscriptionRef.get(now.process.temper)) === "stopped") return yield* Effect.never
      if (slow !== undefined) yield* Effect.sleep(slow)
      const [user = "", password = ""] = atob((request.headers?.["authorization"] ?? "").replace(/^Basic /, "")).split(
        ":"
      )
      const isPreflight = request.method === "OPTIONS"
      if (!isPreflight && !(yield* isAllowed(now, { action: "api", user, password }))) {
        return refusal(401, "authentication error")
      }
      if (answers !== undefined) return refusal(answers, "it is out of order")
      const [, action, name] = /\/v3\/config\/paths\/(add|replace|patch|delete)\/(.+)$/.exec(request.path) ?? []
      if (action !== undefined) {
        calls.push(`${action} ${name}`)
        const { refusals = 0 } = yield* SubscriptionRef.get(faults)
        if (refusals > 0 && action !== "delete") {
          yield* SubscriptionRef.update(faults, (all) => ({ ...all, refusals: refusals - 1 }))
          return now.paths.refuse(action, decodeURIComponent(name ?? ""))
        }
      }
      return callApi(now, request, yield* monotonicMillis)
    })

  /** a process that was stopped answers nothing */
  const awake = <A, E, R>({ process }: Run, answering: Effect.Effect<A, E, R>) =>
    Effect.flatMap(SubscriptionRef.get(process.temper), (temper) => (temper === "stopped" ? Effect.never : answering))

  /** What who asks for a stream is told of it. */
  const describe = (now: Run, address: string) =>
    Effect.gen(function* () {
      const { pathname, search, searchParams } = new URL(address)
      const path = pathname.slice(1)
      const token = searchParams.get("token") ?? ""
      const question = { action: "read", user: "", password: token, path, query: search.slice(1), protocol: "rtsp" }
      return (yield* isAllowed(now, question)) ? described(now, path) : { status: "401 Unauthorized" }
    })

  const portOf = (address: string): number => Number(address.split(":").at(-1))

  const play = Effect.fnUntraced(function* (process: PlayedProcess) {
    const say = (line: string) => process.stdout(new TextEncoder().encode(`${line}\n`))
    const [file = ""] = process.args
    if (file === "--version") {
      say("v1.21.0")
      return { code: 0 }
    }
    yield* Stream.runHead(Stream.filter(SubscriptionRef.changes(faults), ({ idles }) => idles !== true))
    const { complaint } = yield* SubscriptionRef.get(faults)
    const configuration = yield* Effect.result(Effect.flatMap(disk.text(file), decodeConfiguration))
    if (complaint !== undefined || configuration._tag === "Failure") {
      say(`ERR: ${complaint ?? "the configuration cannot be read"}`)
      return { code: 1 }
    }
    const { pathDefaults, ...global } = configuration.success
    const { password, pathname, port, username } = new URL(global.authHTTPAddress)
    // as Go's client makes it of what an address shows
    const headers: Run["hook"]["headers"] =
      username === "" ? {} : { authorization: `Basic ${btoa(`${username}:${password}`)}` }
    const now: Run = {
      process,
      say,
      number: ++runs,
      rtspPort: portOf(global.rtspAddress),
      hook: { port: Number(port), path: pathname, headers },
      global,
      paths: makePaths(pathDefaults),
      live: new Map(),
      sessions: new Map(),
      connections: new Map(),
      readers: new Map(),
      held: new Set()
    }
    const listen = (address: string, more: Partial<Listener> = {}) =>
      ports.listen(portOf(address), { pid: process.pid, ...more }).pipe(
        Effect.mapError((): Ending => {
          say(`ERR: listen tcp ${address}: bind: address already in use`)
          return { code: 1 }
        })
      )
    const { apiAddress, hlsAddress, playbackAddress, rtspAddress, webrtcAddress } = global
    return yield* Effect.gen(function* () {
      yield* listen(rtspAddress)
      const client = serveClient(publish, untilRead, (address) => awake(now, describe(now, address)))
      yield* peers.listen("127.0.0.1", now.rtspPort, client)
      const mayRead = (question: Readonly<Record<string, string>>) =>
        isAllowed(now, { action: "read", user: "", password: "", ...question })
      yield* listen(hlsAddress, { web: (call) => awake(now, answerHls(now, mayRead, call)) })
      yield* listen(webrtcAddress, { web: (call) => awake(now, answerWhep(now, mayRead, call)) })
      yield* listen(playbackAddress)
      yield* Effect.acquireRelease(
        Effect.sync(() => {
          run = now
        }),
        () =>
          Effect.sync(() => {
            run = undefined
          })
      )
      yield* ports.listen(portOf(apiAddress), { pid: process.pid, http: (request) => answer(now, request) }).pipe(
        Effect.mapError((): Ending => ({
          code: 1,
          stderr: `listen tcp ${apiAddress}: bind: address already in use`
        }))
      )
      return yield* Effect.never
    }).pipe(Effect.catch((ending: Ending) => Effect.succeed(ending)))
  })
  programs.play("mediamtx", play)

  const untilRead = SubscriptionRef.changes(faults).pipe(
    Stream.filter(({ isDeaf }) => isDeaf !== true),
    Stream.runHead,
    Effect.asVoid
  )

  return PlayedMediaMtx.of({
    faults,
    disturb: (changed) => SubscriptionRef.update(faults, (all) => ({ ...all, ...changed })),
    crash: Effect.suspend(() => run?.process.kill ?? Effect.void),
    calls: () => [...calls],
    options: (path) => Effect.sync(() => run?.paths.options(path)),
    patch: (path, options) => Effect.sync(() => void run?.paths.set("patch", path, options)),
    readers: () => [...(run?.readers.values() ?? [])],
    held: () => run?.held.size ?? 0,
    setReaders: (path, readers) =>
      Effect.suspend(() => (run === undefined ? Effect.void : change(run, path, { readers }))),
    read,
    publish
  })
})
