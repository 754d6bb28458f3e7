import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Scope from "effect/Scope"
import * as SubscriptionRef from "effect/SubscriptionRef"
import * as App from "../../src/App.ts"
import { Tokens } from "../../src/auth/Tokens.ts"
import { Settings } from "../../src/config/Settings.ts"
import { Devices } from "../../src/device/Devices.ts"
import { type Fact, Events } from "../../src/events/Events.ts"
import type { PlayedCamera } from "../../testing/Cameras.ts"
import * as Chance from "../../testing/Chance.ts"
import { workOf } from "../../testing/FfmpegWork.ts"
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

/** What the service has for its start and for its end. */
const startTime = "10 seconds"
const endTime = "10 seconds"

type Service = Layer.Success<typeof App.layer>

/** A service from its start to its end. */
export interface Life {
  readonly scope: Scope.Closeable
  readonly nouns: Context.Context<Service>
  readonly clients: Array<Client>
}

export interface WorldCamera {
  readonly played: PlayedCamera
  /** by which it is known again: in its serial number, or in where it is plugged in */
  readonly key: string
}

export const oneOf = <A>(all: ReadonlyArray<A>, chance: () => number): A | undefined =>
  all[Math.floor(chance() * all.length)]

/** The name of a camera, or of one that there is not. */
export const someName = (world: World, chance: () => number): string =>
  `camera${Math.floor(chance() * (world.cameras.length + 0.1))}`

/** The name that the service has given a camera; undefined while it knows none, or does not run. */
export const deviceOf = ({ life }: World, { key }: WorldCamera): string | undefined =>
  life === undefined
    ? undefined
    : Context.get(life.nouns, Devices)
        .list()
        .find(({ identity }) => identity.serial?.includes(key) ?? identity.position.includes(key))?.id

/** A machine with cameras, the service on it, and who comes to it. */
export interface World {
  readonly passed: () => number
  /** fibers that wait for their time */
  readonly sleepers: () => number
  readonly setClockBy: (millis: number) => void
  readonly trace: Trace
  readonly ground: TestGround["Service"]
  readonly cameras: Array<WorldCamera>
  /** undefined: the service does not run */
  life: Life | undefined
  /** processes that run, oldest first */
  readonly running: () => ReadonlyArray<PlayedProcess>
  /** what is wrong with the machine now, and what puts it right */
  readonly suffering: Map<string, Effect.Effect<void>>
  readonly suffer: (name: string, over: Effect.Effect<void>) => Effect.Effect<void>
  /** by MediaMTX's paths */
  readonly readers: Map<string, number>
  /** when the last one came or went (milliseconds that had passed) */
  readonly viewed: Map<string, number>
  /** hears what happens, before anybody else; for as long as the world stands */
  readonly hear: (hearer: (fact: Fact) => void) => void
  readonly boot: Effect.Effect<void>
  /** as SIGTERM */
  readonly shutDown: Effect.Effect<void>
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
  const suffering = new Map<string, Effect.Effect<void>>()
  const hearers: Array<(fact: Fact) => void> = []

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

  /** The service waits for nothing but a disk that does not answer; whoever runs it gives it up then, and sees to the disk. */
  const inTime = Effect.fnUntraced(function* <A, R>(
    what: string,
    time: Duration.Input,
    doing: Effect.Effect<A, never, R>
  ) {
    const fiber = yield* Effect.forkChild(doing)
    const done = yield* Effect.timeoutOption(Fiber.await(fiber), time)
    if (Option.isNone(done)) {
      const reasons = [...suffering].filter(([name]) => name.startsWith("disk"))
      if (reasons.length === 0)
        return yield* Effect.die(new Error(`the service's ${what} takes ${String(time)} at most: it takes longer`))
      trace.note("service", `is given up: its ${what}`)
      for (const [name, over] of reasons) {
        yield* over
        suffering.delete(name)
      }
    }
    return yield* Fiber.join(fiber)
  })

  const world: World = {
    passed: clock.passed,
    sleepers: clock.sleepers,
    setClockBy: clock.setBy,
    trace,
    ground: played,
    cameras: [],
    life: undefined,
    running: () => {
      look()
      return running
    },
    suffering,
    suffer: (name, over) =>
      Effect.sync(() => {
        trace.note("suffers", name)
        const before = suffering.get(name) ?? Effect.void
        suffering.set(name, Effect.andThen(over, before))
      }),
    readers: new Map(),
    viewed: new Map(),
    hear: (hearer) => void hearers.push(hearer),
    boot: Effect.gen(function* () {
      const scope = yield* Scope.make()
      const building = Layer.build(App.layer.pipe(Layer.provide(Layer.sync(Settings, settings)))).pipe(
        Scope.provide(scope)
      )
      const built = yield* inTime("start", startTime, Effect.exit(building))
      if (Exit.isFailure(built)) {
        trace.note("service", "did not start")
        yield* Scope.close(scope, Exit.void)
        return
      }
      trace.note("service", "started")
      world.life = { scope, nouns: built.value, clients: [] }
      yield* Scope.provide(
        Context.get(built.value, Events).followFirst((fact) =>
          Effect.sync(() => {
            trace.note("fact", dataOf(fact))
            for (const hear of hearers) hear(fact)
          })
        ),
        scope
      )
    }).pipe(Effect.provideContext(Context.merge(ground, chance))),
    shutDown: Effect.gen(function* () {
      const { life } = world
      if (life === undefined) return
      const since = clock.passed()
      trace.note("service", "is ending")
      yield* inTime("end", endTime, Scope.close(life.scope, Exit.void))
      trace.note("service", `ended after ${Math.round(clock.passed() - since)} ms`)
      world.life = undefined
      const [left] = world.running()
      if (left !== undefined)
        return yield* Effect.die(new Error(`no process outlives the service: ${left.program} ${left.args.join(" ")}`))
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
