import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as Redacted from "effect/Redacted"
import * as Scope from "effect/Scope"
import * as SubscriptionRef from "effect/SubscriptionRef"
import { Tokens } from "../../src/auth/Tokens.ts"
import { Devices } from "../../src/device/Devices.ts"
import type { Fact } from "../../src/events/Events.ts"
import type { PlayedCamera } from "../../testing/Cameras.ts"
import * as Chance from "../../testing/Chance.ts"
import { workOf } from "../../testing/FfmpegWork.ts"
import { fractions } from "../../testing/Chance.ts"
import type { PlayedProcess } from "../../testing/Programs.ts"
import type { RtspCamera } from "../../testing/RtspCamera.ts"
import type { Simulated } from "../../testing/Simulator.ts"
import { TestGround } from "../../testing/TestGround.ts"
import { testSettings } from "../support/TestSettings.ts"
import { admin, type Client, makeClient, type Rights } from "./Client.ts"
import { type Death, type Life, makeLives } from "./Life.ts"
import { makePromises, type Promises } from "./Promises.ts"
import type { Trace } from "./Trace.ts"

/** Times are shorter than by default: a day sees more of their ends. `more`: what a configuration file says beside. */
export const settings = (
  more: { readonly segment?: number; readonly resume?: number; readonly processes?: number } = {}
) =>
  testSettings({
    data_dir: "/data",
    streams: { viewer_linger_seconds: 20, snapshot_linger_seconds: 5 },
    recording: { segment_seconds: more.segment ?? 30, resume_seconds: more.resume ?? 10 },
    limits: more.processes === undefined ? {} : { ffmpeg_processes: more.processes },
    server: { max_unread_kilobytes: 512 }
  })

/** The longest time that a stream outlives its last reason, in seconds. */
export const longestLinger = 20

export interface WorldCamera {
  readonly played: PlayedCamera
  /** by which it is known again: in its serial number, or in where it is plugged in */
  readonly key: string
}

export const oneOf = <A>(all: ReadonlyArray<A>, chance: () => number): A | undefined =>
  all[Math.floor(chance() * all.length)]

/** Where the camera of the network is. */
const networkAddress = "192.168.42.10"
export const networkUrl = `rtsp://${networkAddress}:554/subject`

/** The name of a camera, or of one that there may not be. */
export const someName = (world: World, chance: () => number): string =>
  `camera${Math.floor(chance() * (world.cameras.length + 1.1))}`

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
  /** as for a machine that is suspended for so long */
  readonly passOver: (millis: number) => void
  readonly trace: Trace
  readonly ground: TestGround["Service"]
  readonly cameras: Array<WorldCamera>
  readonly networkCamera: RtspCamera
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
  /** since when nothing was wrong with the disk (milliseconds that had passed); infinite: something is */
  readonly diskWorksSince: () => number
  /** what clients were told is done */
  readonly promises: Promises
  /** what went wrong while nobody waited for it */
  readonly failure: () => string | undefined
  readonly boot: Effect.Effect<void>
  /** as SIGTERM */
  readonly shutDown: Effect.Effect<void>
  /** it dies at so many calls to the disk from now; 0: at once */
  readonly kill: (death: Death, calls: number) => Effect.Effect<void>
  /** it does not, if it has not yet */
  readonly spare: () => void
  /** how often the services have changed or synced something on the disk */
  readonly diskChanges: () => number
  readonly connect: (rights?: Rights) => Effect.Effect<Client>
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
  let failure: string | undefined
  /** milliseconds that had passed when something was last seen to be wrong with the disk */
  let diskFailedAt = Number.NEGATIVE_INFINITY

  const hasDiskTrouble = () => [...suffering.keys()].some((name) => name.startsWith("disk"))
  const diskWorksSince = () => (hasDiskTrouble() ? Number.POSITIVE_INFINITY : diskFailedAt)

  const readers = new Map<string, number>()
  const viewed = new Map<string, number>()
  /** They go with their MediaMTX. */
  const forgetReaders = () => {
    for (const path of readers.keys()) viewed.set(path, clock.passed())
    readers.clear()
  }

  const look = () => {
    const all = SubscriptionRef.getUnsafe(played.programs.processes)
    for (const process of all.slice(seenProcesses)) {
      trace.note("started", `${process.program} ${workOf(process.program, process.args)} ${process.pid}`)
      running.push(process)
    }
    seenProcesses = all.length
    const ended = running.filter(({ isRunning }) => !isRunning())
    if (ended.length === 0) return
    for (const { pid, program } of ended) {
      trace.note("ended", String(pid))
      if (program === "mediamtx") forgetReaders()
    }
    running = running.filter(({ isRunning }) => isRunning())
  }

  const base = {
    passed: clock.passed,
    sleepers: clock.sleepers,
    passOver: clock.passOver,
    setClockBy: (millis: number) => {
      world.promises.clockWasSet()
      clock.setBy(millis)
    },
    trace,
    ground: played,
    cameras: [],
    networkCamera: yield* played.rtspCameras.start(networkAddress),
    life: undefined as Life | undefined,
    running: () => {
      look()
      return running
    },
    suffering,
    suffer: (name: string, over: Effect.Effect<void>) =>
      Effect.sync(() => {
        trace.note("suffers", name)
        const before = suffering.get(name) ?? Effect.void
        const noted = Effect.sync(() => {
          if (name.startsWith("disk")) diskFailedAt = clock.passed()
        })
        suffering.set(name, Effect.andThen(over, Effect.andThen(before, noted)))
      }),
    readers,
    viewed,
    hear: (hearer: (fact: Fact) => void) => void hearers.push(hearer),
    failure: () => failure,
    diskWorksSince
  }
  const promises = makePromises(base)
  hearers.push(promises.told)
  const lives = yield* makeLives(Object.assign(base, { promises }), Context.merge(ground, chance), {
    settings,
    tell: (fact) => hearers.forEach((hear) => hear(fact)),
    // one who may not see all is there all the time
    started: Effect.suspend(() => world.connect({ role: "viewer", cameras: ["camera0"] })),
    fail: (why) => {
      failure ??= why
    },
    chance: fractions(seed + 2)
  })
  const world: World = Object.assign(base, {
    promises,
    ...lives,
    connect: Effect.fnUntraced(
      function* (rights: Rights = admin) {
        const life = world.life
        if (life === undefined) return yield* Effect.die(new Error("there is no service to connect to"))
        const visitor = yield* played.visitors.connect(8002, { target: "/ws" })
        const mine = {
          asked: promises.asked,
          answered: (...answer: Parameters<Promises["answered"]>) => {
            if (world.life === life) promises.answered(...answer)
          }
        }
        const client = yield* makeClient(`client${names++}`, rights, visitor, clock.passed, trace, mine)
        life.clients.push(client)
        const { sign } = Context.get(life.nouns, Tokens)
        const token = yield* sign({ userId: "somebody", ...rights, timeToLive: Duration.hours(1000) })
        client.call("authenticate", { auth_token: Redacted.value(token) })
        return client
      },
      Scope.provide(visiting),
      Effect.orDie
    )
  })
  yield* Effect.addFinalizer(() => Scope.close(visiting, Exit.void))
  return world
})
