import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as SubscriptionRef from "effect/SubscriptionRef"
import { Disk } from "../src/ground/Disk.ts"
import { type JsonReply, type JsonRequest, NoReply } from "../src/ground/Loopback.ts"
import { monotonicMillis, now as moment } from "../src/ground/Time.ts"
import type { PathOptions } from "../src/process/MediaMtxApi.ts"
import { makePaths, refusal } from "./MediaMtxPaths.ts"
import { callApi, described, type HttpReader, idle, type Live, type Run, rtsp } from "./MediaMtxRun.ts"
import { takePublisher } from "./MediaMtxRtsp.ts"
import { answerHls, answerWhep } from "./MediaMtxReaders.ts"
import { MemoryDisk } from "./MemoryDisk.ts"
import { Peers } from "./MemoryTcp.ts"
import { type Listener, Ports } from "./MemoryLoopback.ts"
import { type Ending, type PlayedProcess, Programs } from "./Programs.ts"
import { makeRecorder } from "./Recorder.ts"

const JsonObject = Schema.Record(Schema.String, Schema.Json)

/** What we read of our own configuration file (JSON, which is YAML). */
const Configuration = Schema.fromJsonString(
  Schema.StructWithRest(
    Schema.Struct({
      apiAddress: Schema.String,
      rtspAddress: Schema.String,
      hlsAddress: Schema.String,
      webrtcAddress: Schema.String,
      playbackAddress: Schema.String,
      authHTTPAddress: Schema.String,
      pathDefaults: JsonObject
    }),
    [JsonObject]
  )
)
const decode = Schema.decodeUnknownEffect(Configuration)

/** What goes wrong with MediaMTX; a test sets it, and may wait for it. */
export interface MediaMtxFaults {
  /** its API takes calls and does not answer */
  readonly hangs: boolean
  /** its API breaks every connection off */
  readonly breaks?: boolean
  /** its API answers each call with this status */
  readonly answers?: number | undefined
  /** so many calls that add, replace or patch a path are refused as they come (400) */
  readonly refusals?: number
  /** it ends at its start, saying this */
  readonly complaint?: string
  /** what starts does nothing, and listens nowhere, until this is over */
  readonly idles?: boolean
  /** it reads nothing that is published to it over the network */
  readonly isDeaf?: boolean
}

/** Somebody who comes to publish: a process, and the address that it was given. */
export interface Publisher {
  readonly pid: number
  readonly url: string
  /** what its H.264 says of itself before its first keyframe (base64); undefined: nothing */
  readonly sps?: string | undefined
}

/** Somebody who publishes. */
export interface Publication {
  /** more frames come, whose H.264 says this of itself; false when MediaMTX has cut the connection */
  readonly frames: (sps: string | undefined) => Effect.Effect<boolean>
}

/**
 * MediaMTX (v1.20) as a played process: `mediamtx CONFIG` reads its configuration from the disk, takes its ports, asks the
 * hook that the file names, and answers its API's URLs. `test/support/MediaMtxApiBehaviour.ts` holds it to the real one.
 */
export class PlayedMediaMtx extends Context.Service<
  PlayedMediaMtx,
  {
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
    /**
     * reads as long as the scope lives, once somebody publishes: tells whether there is still something to read; fails as
     * `publish` does
     */
    readonly read: (
      reader: Pick<Publisher, "pid" | "url">
    ) => Effect.Effect<() => boolean, { readonly status: number }, Scope.Scope>
    /** publishes as long as the scope lives; fails with the RTSP status, 0 where nobody listens */
    readonly publish: (publisher: Publisher) => Effect.Effect<Publication, { readonly status: number }, Scope.Scope>
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
  let sessions = 0
  const calls: Array<string> = []

  /** Asks the hook as `internal/auth/manager.go` does. */
  const isAllowed = ({ hook }: Run, question: { readonly action: string } & PathOptions) =>
    ports
      .request(hook.port, {
        method: "POST",
        path: hook.path,
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

  const change = ({ live }: Run, path: string, what: Partial<Live>) =>
    Effect.sync(() => live.set(path, { ...(live.get(path) ?? idle), ...what }))

  const answer = (now: Run, request: JsonRequest): Effect.Effect<JsonReply, NoReply> =>
    Effect.gen(function* () {
      const { answers, breaks, hangs } = yield* SubscriptionRef.get(faults)
      if (breaks === true) return yield* new NoReply({ detail: "read ECONNRESET" })
      if (hangs || (yield* SubscriptionRef.get(now.process.temper)) === "stopped") return yield* Effect.never
      const [user = "", password = ""] = atob((request.authorization ?? "").replace(/^Basic /, "")).split(":")
      if (!(yield* isAllowed(now, { action: "api", user, password }))) return refusal(401, "authentication error")
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

  const describe = (now: Run, words: string): Effect.Effect<string, NoReply> =>
    Effect.gen(function* () {
      if ((yield* SubscriptionRef.get(now.process.temper)) === "stopped") return yield* Effect.never
      const [, path = ""] = /^DESCRIBE rtsp:\/\/[^/]+\/(\S+) /.exec(words) ?? []
      const [, credentials = ""] = /^Authorization: Basic (\S+)/m.exec(words) ?? []
      const [user = "", password = ""] = atob(credentials).split(":")
      if (!(yield* isAllowed(now, { action: "read", path, user, password }))) return rtsp("401 Unauthorized")
      return described(now, path)
    })

  /** a process that was stopped answers nothing */
  const awake = <A, E, R>({ process }: Run, answering: Effect.Effect<A, E, R>) =>
    Effect.flatMap(SubscriptionRef.get(process.temper), (temper) => (temper === "stopped" ? Effect.never : answering))

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
    const configuration = yield* Effect.result(Effect.flatMap(disk.text(file), decode))
    if (complaint !== undefined || configuration._tag === "Failure") {
      say(`ERR: ${complaint ?? "the configuration cannot be read"}`)
      return { code: 1 }
    }
    const { pathDefaults, ...global } = configuration.success
    const hook = new URL(global.authHTTPAddress)
    const now: Run = {
      process,
      number: ++runs,
      rtspPort: portOf(global.rtspAddress),
      hook: { port: Number(hook.port), path: hook.pathname },
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
      yield* listen(rtspAddress, { tcp: (words) => describe(now, words) })
      yield* peers.listen("127.0.0.1", now.rtspPort, takePublisher(publish, untilRead))
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

  const here = Effect.suspend(() => (run === undefined ? Effect.fail({ status: 0 }) : Effect.succeed(run)))

  /** A connection of RTSP, and its session, as long as the scope lives. */
  const connect = Effect.fnUntraced(function* (now: Run, pid: number, address: string) {
    const port = yield* Effect.mapError(ports.connect(pid, now.rtspPort), () => ({ status: 0 }))
    const { password, pathname, search, searchParams, username } = new URL(address)
    const path = pathname.slice(1)
    const [session, connection] = [`session-${sessions}`, `connection-${sessions++}`]
    now.sessions.set(session, `127.0.0.1:${port}`)
    now.connections.set(connection, `127.0.0.1:${port}`)
    yield* Effect.addFinalizer(() =>
      Effect.sync(() => {
        now.sessions.delete(session)
        now.connections.delete(connection)
      })
    )
    const token = password || (searchParams.get("token") ?? "")
    const shown = { user: username, password, token, path, query: search.slice(1), protocol: "rtsp" }
    const ask = (action: "publish" | "read", id: string) =>
      Effect.flatMap(isAllowed(now, { ...shown, action, id }), (isYes) =>
        isYes ? Effect.void : Effect.fail({ status: 401 })
      )
    return { path, session, connection, ask }
  })

  const read: PlayedMediaMtx["Service"]["read"] = Effect.fnUntraced(function* ({ pid, url }) {
    const now = yield* here
    const { ask, connection, path, session } = yield* connect(now, pid, url)
    // DESCRIBE, which waits for a publisher, and SETUP
    yield* ask("read", connection)
    const isThere = () => run === now && now.live.get(path)?.ready === true
    yield* Effect.repeat(Effect.delay(Effect.sync(isThere), "50 millis"), { until: (is) => is })
    yield* ask("read", session)
    const count = (by: 1 | -1) => change(now, path, { readers: (now.live.get(path)?.readers ?? 0) + by })
    yield* Effect.acquireRelease(count(1), () => (run === now ? count(-1) : Effect.void))
    return isThere
  })

  const publish = Effect.fnUntraced(function* ({ pid, sps, url }: Publisher) {
    const now = yield* here
    const { ask, path, session } = yield* connect(now, pid, url)
    if (now.paths.options(path) === undefined) return yield* Effect.fail({ status: 400 })
    yield* ask("publish", session)
    if (now.live.get(path)?.ready === true) return yield* Effect.fail({ status: 400 })
    const taken = withoutRecorder(now.paths.options(path))
    const recorder = makeRecorder(path, outside)
    yield* Effect.acquireRelease(change(now, path, { ready: true, recorder, sps }), () =>
      Effect.gen(function* () {
        // a MediaMTX that was killed closes no file
        if (run !== now) return
        recorder.close(yield* monotonicMillis)
        if (now.live.has(path)) yield* change(now, path, { ready: false, recorder: undefined })
      })
    )
    const frames = Effect.fnUntraced(function* (sps: string | undefined) {
      const options = now.paths.options(path)
      if (run !== now || options === undefined || withoutRecorder(options) !== taken) return false
      yield* change(now, path, { sps })
      recorder.look(options, yield* moment)
      return true
    })
    return { frames }
  })

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

/** A path is closed when one of these is another (its `internal/core/path_manager.go`). */
const withoutRecorder = (options: PathOptions = {}): string =>
  JSON.stringify(
    Object.entries(options)
      .filter(([key]) => !key.startsWith("record"))
      .sort()
  )
