import { assert, describe, it } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import { ChildProcessSpawner, make as makeSpawner } from "effect/process/ChildProcessSpawner"
import * as Redacted from "effect/Redacted"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as SubscriptionRef from "effect/SubscriptionRef"
import * as TestClock from "effect/testing/TestClock"
import { existsSync, statSync } from "node:fs"
import { chmod, mkdtemp, rm, writeFile } from "node:fs/promises"
import { createServer as createHttpServer, type IncomingMessage } from "node:http"
import { connect, createServer } from "node:net"
import { tmpdir } from "node:os"
import { dirname, join } from "node:path"
import type { Session } from "../../schema/Auth.ts"
import { MediaMtxSessions } from "../../src/auth/MediaMtxSessions.ts"
import { Certificate } from "../../src/config/Certificate.ts"
import { Settings } from "../../src/config/Settings.ts"
import { describeExit, startChild } from "../../src/process/Child.ts"
import { Disk } from "../../src/ground/Disk.ts"
import { Loopback } from "../../src/ground/Loopback.ts"
import { Machine } from "../../src/ground/Machine.ts"
import { MediaMtx } from "../../src/process/MediaMtx.ts"
import type { MediaMtxState } from "../../src/process/MediaMtxStates.ts"
import { MediaMtxApi } from "../../src/process/MediaMtxApi.ts"
import { MediaMtxKey } from "../../src/process/MediaMtxKey.ts"
import { MediaMtxCertificate } from "../../src/process/MediaMtxCertificate.ts"
import { mediaMtxConfig } from "../../src/process/MediaMtxConfig.ts"
import { eventually } from "../support/Eventually.ts"
import { key } from "../support/Key.ts"
import { mediaMtxApiBehaviour } from "../support/MediaMtxApiBehaviour.ts"
import { isAlive } from "../support/Processes.ts"
import * as Children from "../../src/ground/Children.ts"
import { publishNothing } from "../support/RtspReader.ts"
import { settingsOnFreePorts } from "../support/TestSettings.ts"

interface Started {
  readonly pid: number
  readonly args: ReadonlyArray<string>
  /** Of the folder of its last argument; 0 when that is no file. */
  readonly folderMode: number
}

/** Real processes, and a list of them. */
const watchedSpawner = Effect.gen(function* () {
  const real = Context.get(yield* Layer.build(Children.layer), ChildProcessSpawner)
  const started: Array<Started> = []
  const spawner = makeSpawner((command) =>
    Effect.tap(real.spawn(command), ({ pid }) =>
      Effect.sync(() => {
        const words = command._tag === "StandardCommand" ? command.args : []
        const args = words.map((word) => (Redacted.isRedacted(word) ? Redacted.value(word) : word))
        const folder = statSync(dirname(args.at(-1) ?? ""), { throwIfNoEntry: false })
        started.push({ pid, args, folderMode: folder?.mode ?? 0 })
      })
    )
  )
  return { started, layer: Layer.succeed(ChildProcessSpawner, spawner) }
})

/** `hooked`: with somebody who answers MediaMTX's questions. */
const build = Effect.fnUntraced(function* (settings: Settings["Service"], hooked = true) {
  const { layer: spawner, started } = yield* watchedSpawner
  const layer = MediaMtx.layer.pipe(
    Layer.provide(MediaMtxCertificate.layer),
    Layer.provide(Certificate.layer),
    Layer.provideMerge(MediaMtxApi.layer),
    Layer.provideMerge(key),
    Layer.provide([spawner, Disk.layer, Loopback.layer, Machine.layer, Layer.succeed(Settings, settings)])
  )
  const context = yield* Layer.build(layer)
  const asked = hooked ? yield* authHook(settings.boot.health.port, Context.get(context, MediaMtxKey)) : []
  return {
    settings,
    started,
    asked,
    api: Context.get(context, MediaMtxApi),
    mediaMtx: Context.get(context, MediaMtx)
  }
})

const until = (
  state: SubscriptionRef.SubscriptionRef<MediaMtxState>,
  wanted: (state: MediaMtxState) => boolean
): Effect.Effect<MediaMtxState> =>
  SubscriptionRef.changes(state).pipe(
    Stream.filter(wanted),
    Stream.runHead,
    Effect.flatMap(Effect.fromOption),
    Effect.orDie
  )

/** A test's clock for what is built on it, beside the machine's own. */
const aClock = Effect.map(Layer.build(TestClock.layer()), (clock) => ({
  clock: Layer.succeedContext(clock),
  onItsClock: <A, E, R>(effect: Effect.Effect<A, E, R>) => Effect.provideContext(effect, clock)
}))

const generation = (wanted: number) => (state: MediaMtxState) => state._tag === "Running" && state.generation === wanted

const whenRunning = Effect.fnUntraced(function* (overrides: Parameters<typeof settingsOnFreePorts>[0] = {}) {
  const built = yield* build(yield* settingsOnFreePorts(overrides))
  yield* until(built.mediaMtx.state, generation(1))
  return built
})

const gone = (pid: number) => !isAlive(pid)

/** A program with this shell script. */
const script = (text: string) =>
  Effect.gen(function* () {
    const folder = yield* Effect.acquireRelease(
      Effect.promise(() => mkdtemp(join(tmpdir(), "script-"))),
      (path) => Effect.promise(() => rm(path, { recursive: true }))
    )
    const file = join(folder, "mediamtx")
    yield* Effect.promise(() => writeFile(file, `#!/bin/sh\n${text}\n`))
    yield* Effect.promise(() => chmod(file, 0o755))
    return file
  })

/** The status line of one RTSP request. */
const rtsp = (port: number, request: string) =>
  Effect.callback<string>((resume) => {
    const socket = connect(port, "127.0.0.1", () => socket.write(`${request}\r\nCSeq: 1\r\n\r\n`))
    socket.once("data", (data: Buffer) => {
      resume(Effect.succeed(data.toString().split("\r\n")[0] ?? ""))
      socket.destroy()
    })
    socket.once("error", (error) => resume(Effect.die(error)))
  })

const bodyOf = async (request: IncomingMessage) => {
  let text = ""
  for await (const chunk of request) text += String(chunk)
  return JSON.parse(text) as Readonly<Record<string, unknown>>
}

type Question = Readonly<Record<string, unknown>>

/** Answers MediaMTX's questions, and tells them: the API is for whom the key opens it, the rest for the token `good`. */
const authHook = (port: number, { asks, opens }: MediaMtxKey["Service"]) =>
  Effect.acquireRelease(
    Effect.callback<{ readonly asked: Array<Question>; readonly close: () => void }>((resume) => {
      const asked: Array<Question> = []
      const server = createHttpServer((request, response) => {
        void bodyOf(request).then((question) => {
          const isMediaMtx = asks(request.headers.authorization ?? "")
          asked.push({ ...question, url: request.url, isMediaMtx })
          const { action, password, query, user } = question
          const isRight =
            isMediaMtx && (action === "api" ? opens(String(user), String(password)) : query === "token=good")
          return response.writeHead(isRight ? 200 : 401).end()
        })
      })
      server.listen(port, "127.0.0.1", () => {
        const close = () => {
          server.close()
          server.closeAllConnections()
        }
        resume(Effect.succeed({ asked, close }))
      })
    }),
    ({ close }) => Effect.sync(close)
  ).pipe(Effect.map(({ asked }) => asked))

const listenOn = (port: number): Effect.Effect<void, never, Scope.Scope> =>
  Effect.asVoid(
    Effect.acquireRelease(
      Effect.callback<ReturnType<typeof createServer>>((resume) => {
        const server = createServer((socket) => socket.destroy())
        server.listen(port, "127.0.0.1", () => resume(Effect.succeed(server)))
      }),
      (server) => Effect.sync(() => server.close())
    )
  )

mediaMtxApiBehaviour(
  "the real MediaMTX's API",
  Layer.effect(
    MediaMtxApi,
    Effect.map(whenRunning(), ({ api }) => api)
  )
)

describe("our MediaMTX", () => {
  it.live("runs, is gone when the service ends, and leaves no configuration behind", () =>
    Effect.gen(function* () {
      const { folder, pid } = yield* Effect.scoped(
        Effect.gen(function* () {
          const { started } = yield* whenRunning()
          const { args, folderMode, pid } = started[0] ?? { args: [], folderMode: 0, pid: 0 }
          assert.isFalse(gone(pid))
          assert.strictEqual(folderMode & 0o777, 0o700)
          const folder = dirname(args.at(-1) ?? "")
          assert.isFalse(existsSync(folder))
          return { folder, pid }
        })
      )
      assert.isTrue(gone(pid))
      assert.isFalse(existsSync(folder))
    })
  )

  it.live("comes back when it was killed, one generation on and without paths", () =>
    Effect.gen(function* () {
      const { api, mediaMtx, started } = yield* whenRunning()
      yield* api.addPath("camera0", { source: "publisher" })
      process.kill(started[0]?.pid ?? 0, "SIGKILL")
      const stopped = yield* until(mediaMtx.state, ({ _tag }) => _tag === "Stopped")
      assert.include(stopped.detail, "SIGKILL")
      yield* until(mediaMtx.state, generation(2))
      assert.deepStrictEqual(yield* api.listPathConfigs, [])
    })
  )

  it.live("lets nobody in whom the service does not know, and holds a reader of an idle camera", () =>
    Effect.gen(function* () {
      const { api, asked, settings } = yield* whenRunning({ streams: { start_timeout_seconds: 1 } })
      const url = `rtsp://127.0.0.1:${settings.boot.mediamtx.rtsp_port}`
      const describing = (path: string) => rtsp(settings.boot.mediamtx.rtsp_port, `DESCRIBE ${url}/${path} RTSP/1.0`)
      yield* api.addPath("camera0", { source: "publisher" })

      assert.include(yield* describing("camera0"), "401")
      assert.include(yield* describing("camera0?token=bad"), "401")
      // A name that is no camera's is refused without asking.
      assert.include(yield* describing("nobody?token=good"), "400")
      // Nobody publishes for as long as a stream may take to start: the reader waited for it.
      const before = performance.now()
      assert.include(yield* describing("camera0?token=good"), "400")
      assert.isAtLeast(performance.now() - before, 900)

      const question = asked.find(({ query }) => query === "token=good")
      assert.deepInclude(question, { url: "/mediamtx/auth", isMediaMtx: true, action: "read", path: "camera0" })
    })
  )

  it.live("forgets the readers that are gone, and cuts off those that it has when they are over", () =>
    Effect.gen(function* () {
      const { api, asked, settings } = yield* whenRunning()
      const { clock, onItsClock } = yield* aClock
      const layer = MediaMtxSessions.layer.pipe(
        Layer.provide([Layer.succeed(MediaMtxApi, api), Layer.succeed(Settings, settings), clock])
      )
      const { opened } = Context.get(yield* Layer.build(layer), MediaMtxSessions)
      const revoked = Deferred.makeUnsafe<void>()
      const credential = { kind: "key", id: "k", by: "ann", revoked } as const
      const key: Session = { sessionId: "s", userId: "ann", role: "viewer", expiresAt: Infinity, credential }
      const isLetIn = (id: string) => onItsClock(opened("rtsp", id, key))

      yield* api.addPath("camera0", { source: "publisher" })
      const target = { port: settings.boot.mediamtx.rtsp_port, path: "camera0?token=good", user: "", password: "" }
      const there = yield* publishNothing(target)
      assert.isTrue(yield* isLetIn(String(asked.find(({ action }) => action === "publish")?.["id"])))
      for (let n = 0; yield* isLetIn(`gone ${n}`); n++); // until the user has no more room
      yield* onItsClock(TestClock.adjust("1 minute"))
      yield* eventually("there is room again", isLetIn("another"))
      yield* Deferred.succeed(revoked, undefined)
      yield* there.ended
    })
  )

  it.live("holds readers and keeps recordings by default, and takes the word of proxies that the service trusts", () =>
    Effect.gen(function* () {
      const { api, asked, settings } = yield* whenRunning({ server: { trusted_proxies: ["127.0.0.1", "fd00::/8"] } })
      yield* api.addPath("camera0", {})
      const { hls_port, playback_port, webrtc_port } = settings.boot.mediamtx
      const offer = { method: "POST", body: "v=0" }
      for (const [protocol, at, options] of [
        ["hls", `${hls_port}/camera0/index.m3u8`, {}],
        ["webrtc", `${webrtc_port}/camera0/whep`, offer],
        ["", `${playback_port}/list?path=camera0`, {}]
      ] as const) {
        const sent = { authorization: "Bearer bad", "content-type": "application/sdp" }
        const headers = { ...sent, "x-forwarded-for": "203.0.113.9, 192.0.2.7" }
        yield* Effect.promise(() => fetch(`http://127.0.0.1:${at}`, { ...options, headers }))
        const question = asked.findLast(({ action }) => action !== "api")
        assert.deepInclude(question, { ip: "192.0.2.7", token: "bad", protocol })
      }
      const options = (yield* api.listPathConfigs)[0]?.options
      assert.deepInclude(options, {
        source: "publisher",
        overridePublisher: false,
        runOnDemand: "true",
        recordDeleteAfter: "" // how its API shows 0 s
      })
    })
  )

  it.live("ends the start with the port that another program has", () =>
    Effect.gen(function* () {
      const settings = yield* settingsOnFreePorts()
      yield* listenOn(settings.boot.mediamtx.rtsp_port)
      const { mediaMtx, started } = yield* build(settings)
      const fatal = yield* Effect.flip(mediaMtx.fatal)
      assert.deepInclude(fatal, { _tag: "PortInUse", host: "127.0.0.1", port: settings.boot.mediamtx.rtsp_port })
      assert.isTrue(started.every(({ pid }) => gone(pid)))
      assert.strictEqual(SubscriptionRef.getUnsafe(mediaMtx.state)._tag, "Stopped")
    })
  )

  it.live("is not confused with another MediaMTX that has its ports", () =>
    Effect.gen(function* () {
      const { settings } = yield* whenRunning()
      const { mediaMtx } = yield* build(settings, false)
      const fatal = yield* Effect.flip(mediaMtx.fatal)
      assert.strictEqual(fatal._tag, "PortInUse")
      assert.strictEqual(SubscriptionRef.getUnsafe(mediaMtx.state).generation, 0)
    })
  )

  it.live("that is not there ends the start with a hint", () =>
    Effect.gen(function* () {
      const { mediaMtx } = yield* build(yield* settingsOnFreePorts({ mediamtx: { binary: "no-such-mediamtx" } }))
      const fatal = yield* Effect.flip(mediaMtx.fatal)
      assert.deepInclude(fatal, { _tag: "ProgramMissing", program: "no-such-mediamtx" })
    })
  )

  it.live("that is too old ends the start with its version and a hint", () =>
    Effect.gen(function* () {
      const binary = yield* script(
        '[ "$1" = --version ] && echo v1.19.9 && exit; echo "ERR: unknown field moq"; exit 1'
      )
      const { mediaMtx } = yield* build(yield* settingsOnFreePorts({ mediamtx: { binary } }))
      const fatal = yield* Effect.flip(mediaMtx.fatal)
      assert.deepInclude(fatal, { _tag: "ProgramUnfit", program: binary, flaw: "is too old (v1.19.9)" })
    })
  )

  it.live("that fails for another reason is tried again, and says why", () =>
    Effect.gen(function* () {
      const binary = yield* script('[ "$1" = --version ] && echo v1.21.0 && exit; echo "ERR: cannot read"; exit 1')
      const { mediaMtx, started } = yield* build(yield* settingsOnFreePorts({ mediamtx: { binary } }))
      const stopped = yield* until(mediaMtx.state, ({ _tag }) => _tag === "Stopped")
      assert.include(stopped.detail, "ERR: cannot read")
      // it stays stopped until it runs
      yield* until(mediaMtx.state, (state) => "detail" in state && /has ended 2 times/.test(state.detail ?? ""))
      assert.isAtLeast(started.length, 2)
    })
  )
})

describe("the operator's MediaMTX", () => {
  const auth_secret = "0123456789abcdef0123456789abcdef"
  it.live("is watched: not there yet, there, started again", () =>
    Effect.gen(function* () {
      const settings = yield* settingsOnFreePorts({ mediamtx: { managed: false, auth_secret } })
      const { api, mediaMtx, started } = yield* build(settings)
      assert.strictEqual(SubscriptionRef.getUnsafe(mediaMtx.state)._tag, "Starting")

      const folder = yield* Effect.acquireRelease(
        Effect.promise(() => mkdtemp(join(tmpdir(), "operator-"))),
        (path) => Effect.promise(() => rm(path, { recursive: true }))
      )
      const config = join(folder, "mediamtx.yml")
      yield* Effect.promise(() => writeFile(config, mediaMtxConfig(settings, `mediamtx:${auth_secret}`)))
      const run = yield* operator(settings.boot.mediamtx.binary, config)
      const first = yield* run
      yield* Effect.raceFirst(until(mediaMtx.state, generation(1)), first.diesEarly)
      yield* api.addPath("theirs", { source: "publisher" })

      yield* first.kill
      const second = yield* run
      yield* Effect.raceFirst(until(mediaMtx.state, generation(2)), second.diesEarly)
      assert.isTrue(Option.isNone(yield* api.getPath("theirs")))
      assert.deepStrictEqual(started, [])
    })
  )
})

/** Runs MediaMTX by hand; all runs end with the test. */
const operator = Effect.fnUntraced(function* (binary: string, config: string) {
  const spawner = Context.get(yield* Layer.build(Children.layer), ChildProcessSpawner)
  const scope = yield* Effect.scope
  return startChild(spawner, { program: binary, args: [config], stdout: "ignore" }).pipe(
    Effect.map(({ exit, pid }) => ({
      /** its ports are free again when this is done */
      kill: Effect.andThen(
        Effect.sync(() => process.kill(pid, "SIGKILL")),
        exit
      ),
      diesEarly: Effect.flatMap(exit, (end) => Effect.die(describeExit("the operator's MediaMTX", end)))
    })),
    Scope.provide(scope)
  )
})
