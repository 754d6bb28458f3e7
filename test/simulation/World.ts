import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as Redacted from "effect/Redacted"
import * as Scope from "effect/Scope"
import * as SubscriptionRef from "effect/SubscriptionRef"
import * as App from "../../src/App.ts"
import { Tokens } from "../../src/auth/Tokens.ts"
import { Settings } from "../../src/config/Settings.ts"
import { Events } from "../../src/events/Events.ts"
import type { PlayedCamera } from "../../testing/Cameras.ts"
import * as Chance from "../../testing/Chance.ts"
import type { Suffered } from "../../testing/DiskFaults.ts"
import { workOf } from "../../testing/Ffmpeg.ts"
import type { PlayedProcess } from "../../testing/Programs.ts"
import type { Simulated } from "../../testing/Simulator.ts"
import { TestGround } from "../../testing/TestGround.ts"
import { testSettings } from "../support/TestSettings.ts"
import { type Client, makeClient } from "./Client.ts"
import type { Trace } from "./Trace.ts"

/** Times are shorter than by default: a day sees more of their ends. */
const settings = () =>
  testSettings({
    data_dir: "/data",
    streams: { viewer_linger_seconds: 20, snapshot_linger_seconds: 5 },
    recording: { segment_seconds: 30, resume_seconds: 10 },
    server: { max_unread_kilobytes: 512 }
  })

/** The longest time that a stream outlives its last reason, in seconds. */
export const longestLinger = 20

type Service = Layer.Success<typeof App.layer>

/** A service from its start to its end. */
export interface Life {
  readonly scope: Scope.Closeable
  readonly nouns: Context.Context<Service>
  readonly clients: Array<Client>
}

export interface WorldCamera {
  readonly played: PlayedCamera
  readonly serial: string
}

/** A machine with cameras, the service on it, and who comes to it. */
export interface World {
  readonly passed: () => number
  readonly setClockBy: (millis: number) => void
  readonly trace: Trace
  readonly ground: TestGround["Service"]
  readonly cameras: Array<WorldCamera>
  /** undefined: the service does not run */
  life: Life | undefined
  /** processes that run, oldest first */
  readonly running: () => ReadonlyArray<PlayedProcess>
  readonly faults: Map<string, Suffered>
  readonly viewers: Map<string, number>
  readonly boot: Effect.Effect<void>
  /** as SIGTERM; gives the milliseconds that it took */
  readonly shutDown: Effect.Effect<number>
  readonly connect: Effect.Effect<Client>
}

const dataOf = (fact: object): string => {
  const { at: _at, ...rest } = fact as Record<string, unknown>
  return JSON.stringify(rest)
}

const messageOf = (message: unknown): string => {
  const [words] = Array.isArray(message) ? (message as ReadonlyArray<unknown>) : [message]
  return typeof words === "string" ? words : "…"
}

/** As long as the scope lives. */
export const makeWorld = Effect.fnUntraced(function* (
  seed: number,
  { clock }: Simulated,
  trace: Trace
): Effect.fn.Return<World, never, Scope.Scope> {
  const logger = Logger.make(({ logLevel, message }) => trace.note("log", `${logLevel} ${messageOf(message)}`))
  const ground = yield* Layer.build(TestGround.layer.pipe(Layer.provideMerge(Logger.layer([logger]))))
  const chance = yield* Layer.build(Chance.layerOf(seed))
  const played = Context.get(ground, TestGround)
  const visiting = yield* Scope.make()
  let seenProcesses = 0
  let running: Array<PlayedProcess> = []
  let names = 0

  const look = () => {
    const all = SubscriptionRef.getUnsafe(played.programs.processes)
    for (const process of all.slice(seenProcesses)) {
      trace.note("started", `${process.program} ${workOf(process.program, process.args)} ${process.pid}`)
      running.push(process)
    }
    seenProcesses = all.length
    const ended = running.filter(({ isRunning }) => !isRunning())
    if (ended.length === 0) return
    for (const { pid } of ended) trace.note("ended", String(pid))
    running = running.filter(({ isRunning }) => isRunning())
  }

  const world: World = {
    passed: clock.passed,
    setClockBy: clock.setBy,
    trace,
    ground: played,
    cameras: [],
    life: undefined,
    running: () => {
      look()
      return running
    },
    faults: new Map(),
    viewers: new Map(),
    boot: Effect.gen(function* () {
      const scope = yield* Scope.make()
      const built = yield* Layer.build(App.layer.pipe(Layer.provide(Layer.sync(Settings, settings)))).pipe(
        Scope.provide(scope),
        Effect.exit
      )
      if (Exit.isFailure(built)) {
        trace.note("service", "did not start")
        yield* Scope.close(scope, Exit.void)
        return
      }
      trace.note("service", "started")
      world.life = { scope, nouns: built.value, clients: [] }
      yield* Scope.provide(
        Context.get(built.value, Events).followFirst((fact) => Effect.sync(() => trace.note("fact", dataOf(fact)))),
        scope
      )
    }).pipe(Effect.provideContext(Context.merge(ground, chance))),
    shutDown: Effect.gen(function* () {
      const { life } = world
      if (life === undefined) return 0
      const since = clock.passed()
      trace.note("service", "is ending")
      yield* Scope.close(life.scope, Exit.void)
      trace.note("service", "ended")
      world.life = undefined
      return clock.passed() - since
    }),
    connect: Effect.gen(function* () {
      const life = world.life
      if (life === undefined) return yield* Effect.die(new Error("there is no service to connect to"))
      const visitor = yield* played.visitors.connect(8002, { target: "/ws" })
      const client = yield* makeClient(`client${names++}`, visitor, clock.passed, trace)
      life.clients.push(client)
      const { sign } = Context.get(life.nouns, Tokens)
      const token = yield* sign({ userId: "somebody", role: "admin", timeToLive: Duration.hours(1000) })
      client.call("authenticate", { auth_token: Redacted.value(token) })
      return client
    }).pipe(Scope.provide(visiting), Effect.orDie)
  }
  yield* Effect.addFinalizer(() => Scope.close(visiting, Exit.void))
  return world
})
