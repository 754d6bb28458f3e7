import * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import * as Deferred from "effect/Deferred"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Scope from "effect/Scope"
import * as Semaphore from "effect/Semaphore"
import { ChildProcessSpawner, make as makeSpawner } from "effect/process/ChildProcessSpawner"
import * as App from "../../src/App.ts"
import { Settings } from "../../src/config/Settings.ts"
import { type Fact, Events } from "../../src/events/Events.ts"
import { Databases } from "../../src/ground/Databases.ts"
import { Disk } from "../../src/ground/Disk.ts"
import type { TestGround } from "../../testing/TestGround.ts"
import type { Client } from "./Client.ts"
import type { World } from "./World.ts"

/** How the service ends when nobody asks it to: it is killed (SIGKILL, the kernel goes on), or the whole machine stops. */
export type Death = "is killed" | "loses its power"

type Service = Layer.Success<typeof App.layer>

/** A service from its start to its end. */
export interface Life {
  readonly nouns: Context.Context<Service>
  readonly settings: Settings["Service"]
  readonly clients: Array<Client>
  /** when it had started (milliseconds that had passed) */
  readonly since: number
}

/** A process of the service: from its first instruction on it may be killed at any. */
interface Process {
  readonly scope: Scope.Closeable
  readonly context: Context.Context<Disk | Databases | ChildProcessSpawner>
  /** what it does from now on does not happen */
  readonly kill: () => void
  readonly died: Deferred.Deferred<Death>
  readonly isBuried: Deferred.Deferred<void>
}

/** What the service has for its start and for its end. */
const startTime = "10 seconds"
const endTime = "10 seconds"
/** systemd starts it again. */
const restartAfter = "1 second"
/** All its fibers have ended by then: an affair of the simulation, not of the service. */
const burialTime = "60 seconds"

const dataOf = (fact: object): string => {
  const { at: _at, ...rest } = fact as Record<string, unknown>
  return JSON.stringify(rest)
}

interface Hooks {
  readonly settings: () => Settings["Service"]
  readonly tell: (fact: Fact) => void
  /** once it has started */
  readonly started: Effect.Effect<unknown>
  /** what went wrong, and nobody waits for it */
  readonly fail: (why: string) => void
  readonly chance: () => number
}

/** Starts, ends and kills the service. `ground`: what it stands on. */
export const makeLives = Effect.fnUntraced(function* (
  world: Pick<World, "ground" | "life" | "passed" | "running" | "suffering" | "trace" | "promises">,
  ground: Context.Context<Layer.Success<typeof TestGround.layer>>,
  { chance, fail, settings, started, tell }: Hooks
) {
  const { trace } = world
  const scope = yield* Effect.scope
  const turn = yield* Semaphore.make(1)
  let process: Process | undefined
  let diskChanges = 0
  /** how many more calls to the disk the service lives to make, and what ends it then */
  let doom: { left: number; readonly death: Death } | undefined

  /** At once, whatever it is about to do. */
  const strike = (death: Death): void => {
    doom = undefined
    if (process === undefined || Deferred.isDoneUnsafe(process.died)) return
    trace.note("service", death)
    process.kill()
    for (const client of world.life?.clients ?? []) client.vanish()
    world.promises.struck()
    world.life = undefined
    world.ground.databases.kill(death === "is killed" ? "all" : (leftOf[Math.floor(chance() * leftOf.length)] ?? "all"))
    Deferred.doneUnsafe(process.died, Effect.succeed(death))
  }

  const begin = Effect.fnUntraced(function* () {
    const mine = yield* Scope.make()
    let isAlive = true
    const { disk, kill } = world.ground.disk.use(() => {
      diskChanges++
      if (doom !== undefined && --doom.left <= 0) strike(doom.death)
    })
    const spawner = Context.get(ground, ChildProcessSpawner)
    const databases = Context.get(ground, Databases)
    const alive = <A>(run: () => A): A => {
      if (isAlive) return run()
      throw new Error("a process that was killed does nothing")
    }
    const made: Process = {
      scope: mine,
      context: Context.make(Disk, disk).pipe(
        Context.add(
          Databases,
          Databases.of({
            open: (path) => alive(() => databases.open(path)),
            openInMemory: () => alive(databases.openInMemory),
            remove: (path) => alive(() => databases.remove(path)),
            copy: (database, path) => alive(() => databases.copy(database, path)),
            keep: (database, path) => alive(() => databases.keep(database, path)),
            putBack: (kept, path) => alive(() => databases.putBack(kept, path)),
            bootId: databases.bootId
          })
        ),
        Context.add(
          ChildProcessSpawner,
          makeSpawner((command) => (isAlive ? spawner.spawn(command) : Effect.interrupt))
        )
      ),
      kill: () => {
        isAlive = false
        kill()
      },
      died: Deferred.makeUnsafe(),
      isBuried: Deferred.makeUnsafe()
    }
    process = made
    yield* Effect.forkIn(
      Effect.flatMap(Deferred.await(made.died), (death) => turn.withPermit(bury(made, death))).pipe(
        Effect.andThen(Effect.sleep(restartAfter)),
        Effect.andThen(Effect.suspend(() => boot)),
        Effect.catchCause((cause) => Effect.sync(() => fail(Cause.pretty(cause))))
      ),
      scope
    )
    return made
  })

  /** What is left when it was killed: no child of its own, and on the disk what outlives that. */
  const bury = Effect.fnUntraced(function* (dead: Process, death: Death) {
    for (const child of world.running()) yield* child.kill
    const closing = yield* Effect.forkChild(Scope.close(dead.scope, Exit.void))
    if (Option.isNone(yield* Effect.timeoutOption(Fiber.await(closing), burialTime))) {
      return yield* Effect.die(new Error("the simulation cannot end a service that was killed"))
    }
    if (death === "loses its power") {
      world.ground.disk.losePower(chance)
      world.ground.databases.reboot()
    }
    world.promises.lookAtWhatIsLeft()
    if (process === dead) process = undefined
    trace.note("service", "is gone")
    yield* Deferred.succeed(dead.isBuried, undefined)
  })

  /** The service waits for nothing but a disk that does not answer; whoever runs it gives it up then, and sees to the disk. */
  const inTime = Effect.fnUntraced(function* <A, R>(
    what: string,
    time: Duration.Input,
    doing: Effect.Effect<A, never, R>
  ) {
    const fiber = yield* Effect.forkChild(doing)
    const done = yield* Effect.timeoutOption(Fiber.await(fiber), time)
    if (Option.isNone(done)) {
      const reasons = [...world.suffering].filter(([name]) => name.startsWith("disk"))
      if (reasons.length === 0)
        return yield* Effect.die(new Error(`the service's ${what} takes ${String(time)} at most: it takes longer`))
      trace.note("service", `is given up: its ${what}`)
      for (const [name, over] of reasons) {
        yield* over
        world.suffering.delete(name)
      }
    }
    return yield* Fiber.join(fiber)
  })

  const start = Effect.gen(function* () {
    if (world.life !== undefined || process !== undefined) return
    const mine = yield* begin()
    const own = settings()
    const building = Layer.build(App.layer.pipe(Layer.provide(Layer.succeed(Settings, own)))).pipe(
      Effect.provideContext(Context.merge(ground, mine.context)),
      Scope.provide(mine.scope),
      Effect.exit
    )
    const built = yield* inTime(
      "start",
      startTime,
      Effect.raceFirst(building, Effect.as(Deferred.await(mine.died), undefined))
    )
    if (built === undefined || Deferred.isDoneUnsafe(mine.died)) return
    if (Exit.isFailure(built)) {
      trace.note("service", "did not start")
      yield* Scope.close(mine.scope, Exit.void)
      process = undefined
      return
    }
    trace.note("service", "started")
    const life: Life = { nouns: built.value, settings: own, clients: [], since: world.passed() }
    world.life = life
    yield* Scope.provide(
      Context.get(built.value, Events).followFirst((fact) =>
        Effect.sync(() => {
          if (world.life !== life) return
          trace.note("fact", dataOf(fact))
          tell(fact)
        })
      ),
      mine.scope
    )
    yield* started
  })

  const boot: Effect.Effect<void> = Effect.suspend(() =>
    process !== undefined && Deferred.isDoneUnsafe(process.died) ? Deferred.await(process.isBuried) : Effect.void
  ).pipe(Effect.andThen(turn.withPermit(start)))

  const end = Effect.gen(function* () {
    const mine = process
    if (world.life === undefined || mine === undefined) return
    const since = world.passed()
    trace.note("service", "is ending")
    world.promises.ends()
    yield* inTime("end", endTime, Scope.close(mine.scope, Exit.void))
    if (Deferred.isDoneUnsafe(mine.died)) return
    trace.note("service", `ended after ${Math.round(world.passed() - since)} ms`)
    world.life = undefined
    process = undefined
    const [left] = world.running()
    if (left !== undefined)
      return yield* Effect.die(new Error(`no process outlives the service: ${left.program} ${left.args.join(" ")}`))
  })

  return {
    boot,
    /** as SIGTERM */
    shutDown: turn.withPermit(end),
    /** it dies at so many calls to the disk from now; 0: at once */
    kill: (death: Death, calls: number) =>
      Effect.sync(() => {
        if (calls === 0) strike(death)
        else doom = { left: calls, death }
      }),
    spare: () => {
      doom = undefined
    },
    diskChanges: () => diskChanges
  }
})

const leftOf = ["all", "all", "what was there before", "nothing"] as const
