import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Schedule from "effect/Schedule"
import type * as Scope from "effect/Scope"
import * as Semaphore from "effect/Semaphore"
import type { Role } from "../../schema/Auth.ts"
import { monotonicNow, now } from "../ground/Time.ts"
import { OnvifFailed } from "./onvif/OnvifTarget.ts"
import type { Velocity } from "./onvif/PtzCalls.ts"
import type { PtzSession } from "./onvif/PtzSession.ts"

/** A stop that the camera has not answered is said again. */
const again = Schedule.spaced("200 millis")
/** By then it stops by itself, or nobody can stop it. */
const stopTime = Duration.seconds(2)

/** Who moves a camera. */
export interface Mover {
  /** the same for what comes over one connection */
  readonly id: string
  readonly user: string
  readonly role: Role
  /** returns when it has gone */
  readonly gone: Effect.Effect<void>
}

/**
 * A camera that one client moves: from its first move on until it stops it, its time is over or it has gone. Whatever ends
 * it, the camera is told to stop.
 */
export interface Drive {
  readonly mover: Mover
  /** epoch milliseconds */
  readonly since: number
  /**
   * From now on the camera moves so, and so many milliseconds longer than its word that it does. False: it was stopped
   * before it was told. The client may go meanwhile: what was begun is told to its end.
   */
  readonly move: (velocity: Velocity, millis: number) => Effect.Effect<boolean, OnvifFailed>
  /** Ends it, and returns when the camera has been told to stop. */
  readonly end: Effect.Effect<void, OnvifFailed>
  readonly isEnding: () => boolean
}

/** Begins one, which lives in this scope. */
export const begin = Effect.fnUntraced(function* (session: PtzSession, mover: Mover, scope: Scope.Scope) {
  const clock = yield* monotonicNow
  const since = (yield* now).wall
  const turn = yield* Semaphore.make(1)
  const wanted = Deferred.makeUnsafe<string>()
  const stopped = Deferred.makeUnsafe<void, OnvifFailed>()
  let deadline = Number.POSITIVE_INFINITY
  let renewed = Deferred.makeUnsafe<void>()
  let latest = 0
  let underWay = 0
  let isEnding = false

  const renew = (millis: number): void => {
    deadline = clock() + millis
    Deferred.doneUnsafe(renewed, Effect.void)
    renewed = Deferred.makeUnsafe()
  }
  const timeIsOver = Effect.gen(function* () {
    while (clock() < deadline) {
      const left = deadline - clock()
      const passed = Number.isFinite(left) ? Effect.sleep(Duration.millis(left)) : Effect.never
      yield* Effect.raceFirst(passed, Deferred.await(renewed))
    }
    return "its time was over"
  })

  const stop = Effect.retry(session.stop, again).pipe(
    Effect.timeoutOrElse({
      duration: stopTime,
      orElse: () => Effect.fail(new OnvifFailed({ kind: "STALLED", detail: "it does not take the order to stop" }))
    })
  )
  const halt = Effect.fnUntraced(function* (why: string) {
    isEnding = true
    const wasTold = underWay === 0
    // at once, and again where a move may have overtaken it
    const first = yield* Effect.result(stop)
    const last = wasTold ? first : yield* Effect.andThen(turn.withPermit(Effect.void), Effect.result(stop))
    if (last._tag === "Success") yield* Effect.logInfo("a camera was stopped").pipe(Effect.annotateLogs({ why }))
    else yield* Effect.logError("a camera that moves could not be stopped", last.failure.detail)
    Deferred.doneUnsafe(stopped, Effect.fromResult(last))
  })
  yield* Effect.raceAllFirst([Effect.as(mover.gone, "its client has gone"), timeIsOver, Deferred.await(wanted)]).pipe(
    Effect.onExit((exit) => halt(exit._tag === "Success" ? exit.value : "the service ends")),
    Effect.forkIn(scope, { startImmediately: true })
  )

  const move = Effect.fnUntraced(function* (velocity: Velocity, millis: number) {
    const mine = ++latest
    renew(millis)
    underWay++
    const send = Effect.suspend(() => {
      if (isEnding) return Effect.succeed(false)
      // what is wanted by now is another movement
      if (mine !== latest) return Effect.succeed(true)
      return Effect.as(session.move(velocity, millis), true)
    })
    const sending = turn.withPermit(send).pipe(
      Effect.tap(() => Effect.sync(() => mine === latest && !isEnding && renew(millis))),
      Effect.ensuring(Effect.sync(() => void underWay--))
    )
    return yield* Fiber.join(yield* Effect.forkIn(sending, scope, { startImmediately: true }))
  })

  const drive: Drive = {
    mover,
    since,
    move,
    end: Effect.suspend(() => {
      Deferred.doneUnsafe(wanted, Effect.succeed("it was told to"))
      return Deferred.await(stopped)
    }),
    isEnding: () => isEnding
  }
  return drive
})
