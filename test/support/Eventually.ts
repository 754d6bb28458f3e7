import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"

const look = Duration.millis(20)

type Found<A> = Exclude<A, undefined | false>

/**
 * For what an outside process does and nobody tells of: looks every 20 ms until `condition` gives something (a failure
 * is a "not yet"), and dies with `what` when it did not within the bound, which is for what hangs: a busy machine takes
 * many times as long as one that is idle.
 */
export const eventually = <A, E, R>(
  what: string,
  condition: Effect.Effect<A, E, R>,
  bound: Duration.Input = "40 seconds"
): Effect.Effect<Found<A>, never, R> =>
  Effect.gen(function* () {
    const limit = Duration.toMillis(Duration.fromInputUnsafe(bound))
    const began = yield* Clock.currentTimeMillis
    for (;;) {
      const exit = yield* Effect.exit(condition)
      if (exit._tag === "Success" && exit.value !== undefined && exit.value !== false) return exit.value as Found<A>
      if ((yield* Clock.currentTimeMillis) - began > limit) {
        const last = exit._tag === "Failure" ? ` (${String(exit.cause)})` : ""
        return yield* Effect.die(new Error(`not within ${limit} ms: ${what}${last}`))
      }
      yield* Effect.sleep(look)
    }
  })
