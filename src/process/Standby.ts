import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Semaphore from "effect/Semaphore"

/** What a process is to work on, and what comes of it. */
export interface Job<E> {
  readonly input: Deferred.Deferred<Uint8Array>
  readonly output: Deferred.Deferred<Uint8Array, E>
  /** what it works on before, which nobody wants; it gets no other input until that is `done` */
  readonly practice?: { readonly input: Uint8Array; readonly done: () => void }
}

/** What a process that stands by may do meanwhile, so that all that it needs is at hand. */
export interface Practice {
  /** equal for inputs that one process can work on one after the other, and may: what one sender gave has no part in another's */
  readonly kind: string
  /** of one that works on two inputs */
  readonly args: ReadonlyArray<string>
  /** made where one practises, which few do */
  readonly input: () => Uint8Array
}

interface Waiting<E> extends Job<E> {
  readonly fiber: Fiber.Fiber<void>
  readonly isReady: () => boolean
}

/** Who takes one picture often takes the next within it; some take one a minute. */
const patience = "2 minutes"
/** What was made is on the disk and told by then; to start a process meanwhile takes 6 ms of that time (measured). */
const pause = "100 millis"

/** Processes that are started before there is work for them, which is what most of a short one's time goes to. */
export interface Standby<E> {
  /** has one with these arguments wait for 2 min, unless one does */
  readonly prepare: (args: ReadonlyArray<string>) => Effect.Effect<void>
  /**
   * The one that waits works on this, or a new one does; soon after another one waits. Where this kind came twice in a row
   * a second one waits that has practised with it, and works on the next of this kind: one in all, for it takes memory.
   */
  readonly work: (args: ReadonlyArray<string>, input: Uint8Array, practice: Practice) => Effect.Effect<Uint8Array, E>
}

/** `run`: a process from its start to its end; it has to do with the job's output whatever ends it. */
export const makeStandby = Effect.fnUntraced(function* <E>(
  run: (args: ReadonlyArray<string>, job: Job<E>) => Effect.Effect<void>
) {
  const scope = yield* Effect.scope
  /** by their arguments; one that practises by its kind, too */
  const waiting = new Map<string, Waiting<E>>()
  let lastKind: string | undefined
  /** the kind that came twice in a row, last; and the one that was practised, or is, for it may still be that of before */
  let usual: string | undefined
  let practised: string | undefined
  const inTurn = Semaphore.makeUnsafe(1)

  const begin = Effect.fnUntraced(function* (args: ReadonlyArray<string>, practice?: Uint8Array) {
    let isReady = practice === undefined
    const done = () => void (isReady = true)
    const job: Job<E> = {
      input: Deferred.makeUnsafe(),
      output: Deferred.makeUnsafe(),
      ...(practice === undefined ? {} : { practice: { input: practice, done } })
    }
    const fiber = yield* Effect.forkIn(run(args, job), scope, { startImmediately: true })
    return { ...job, fiber, isReady: () => isReady }
  })

  /** The one that waits and is ready; from then on nobody else has it. */
  const take = (key: string): Waiting<E> | undefined => {
    const one = waiting.get(key)
    if (one?.isReady() !== true) return undefined
    waiting.delete(key)
    return one
  }

  const dismiss = (key: string, one: Waiting<E> | undefined) =>
    Effect.suspend(() => {
      if (one === undefined || waiting.get(key) !== one) return Effect.void
      waiting.delete(key)
      return Fiber.interrupt(one.fiber)
    })

  const wait = Effect.fnUntraced(function* (key: string, args: ReadonlyArray<string>, practice?: () => Uint8Array) {
    if (waiting.has(key)) return
    const one = yield* begin(args, practice?.())
    waiting.set(key, one)
    // whether it ends by itself, or nobody wants it
    const over = Effect.raceFirst(Effect.sleep(patience), Fiber.await(one.fiber))
    yield* Effect.forkIn(Effect.andThen(over, dismiss(key, one)), scope)
  }, Effect.uninterruptible)

  const keyOf = (args: ReadonlyArray<string>) => args.join("\n")
  const prepare = (args: ReadonlyArray<string>) => wait(keyOf(args), args)

  const practise = (kind: string, { args, input }: Practice) => {
    usual = kind
    const instead = Effect.gen(function* () {
      if (practised !== undefined && practised !== kind) yield* dismiss(practised, waiting.get(practised))
      // that took a while, in which another kind may have come
      if (usual !== kind) return
      practised = kind
      yield* wait(kind, args, input)
    })
    return inTurn.withPermits(1)(instead)
  }

  const have = Effect.fnUntraced(function* (one: Waiting<E>, input: Uint8Array) {
    Deferred.doneUnsafe(one.input, Effect.succeed(input))
    return yield* Effect.onInterrupt(Deferred.await(one.output), () => Fiber.interrupt(one.fiber))
  })

  const workPlainly = Effect.fnUntraced(function* (args: ReadonlyArray<string>, input: Uint8Array) {
    return yield* have(take(keyOf(args)) ?? (yield* begin(args)), input)
  })

  /** Has the processor to itself then. */
  const later = (effect: Effect.Effect<void>) => Effect.forkIn(Effect.delay(effect, pause), scope)

  const work: Standby<E>["work"] = Effect.fnUntraced(function* (args, input, practice) {
    const kind = `${keyOf(practice.args)}\n${practice.kind}`
    const isUsual = kind === lastKind
    lastKind = kind
    const working = Effect.suspend(() => {
      const one = take(kind)
      // what comes after another may be what it cannot have, as the first it may
      return one === undefined
        ? workPlainly(args, input)
        : have(one, input).pipe(Effect.catch(() => workPlainly(args, input)))
    })
    return yield* working.pipe(
      Effect.tap(() => (isUsual ? later(practise(kind, practice)) : Effect.void)),
      Effect.ensuring(later(prepare(args)))
    )
  })

  return { prepare, work } satisfies Standby<E> as Standby<E>
})
