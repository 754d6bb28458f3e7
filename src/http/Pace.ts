import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import { monotonicNow } from "../ground/Time.ts"

/** What a reader has to keep to, or is let go. */
export interface Pace {
  /** for so many milliseconds it may take nothing */
  readonly patience: number
  /** bytes a second that it takes in the long run */
  readonly leastRate: number
}

/**
 * The same bytes, and what ends once whoever reads them has been too slow. Time in which there is nothing to read is not
 * theirs; what they read faster than they have to counts until `patience` is full again.
 */
export const paced = Effect.fnUntraced(function* <E>(
  body: Stream.Stream<Uint8Array, E>,
  { leastRate, patience }: Pace
) {
  const now = yield* monotonicNow
  let credit = patience
  /** since when the reader is waited for */
  let since: number | undefined

  const asked = () => {
    if (since !== undefined) credit -= now() - since
    since = undefined
  }
  const given = (bytes: number) => {
    credit = Math.min(patience, credit + (bytes * 1000) / leastRate)
    since = now()
  }
  const left = () => (since === undefined ? patience : credit - (now() - since))

  const look = Effect.suspend(() => {
    const millis = left()
    return millis > 0 ? Effect.as(Effect.sleep(Duration.millis(millis)), false) : Effect.succeed(true)
  })
  return {
    body: Stream.transformPull(body, (pull) =>
      Effect.succeed(
        Effect.suspend(() => {
          asked()
          return Effect.onExit(pull, (exit) =>
            Effect.sync(() =>
              given(exit._tag === "Success" ? exit.value.reduce((sum, { length }) => sum + length, 0) : 0)
            )
          )
        })
      )
    ),
    tooSlow: Effect.asVoid(Effect.repeat(look, { until: (isOver) => isOver }))
  }
})
