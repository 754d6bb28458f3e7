import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import type { CameraClient, ConnectionState } from "../../schema/client/CameraClient.ts"
import { atShell } from "./AtShell.ts"
import { CallFailed } from "./CallFailed.ts"

/** A service that is started again is there by then. */
const patience = "30 seconds"

/** What went wrong last, where it still is so. */
const lossIn = (now: ConnectionState) => (now._tag === "Lost" ? now.error : undefined)

/**
 * Fails when no more can come over this connection: its token is refused, or nobody has taken it for so long. What it waits
 * out is told. A stream of notifications just falls silent then.
 */
export const untilCut = ({ state, states }: CameraClient["Service"], tell: (words: string) => Effect.Effect<void>) => {
  const refused = states.pipe(
    Stream.runForEach((now) => {
      const error = lossIn(now)
      const isOver = error !== undefined && (error._tag === "AuthFailed" || !error.retrying)
      return isOver ? new CallFailed({ detail: atShell(error.message) }) : Effect.void
    })
  )
  const givenUp = Effect.flatMap(state, (now) => {
    const error = lossIn(now)
    return error === undefined ? Effect.void : new CallFailed({ detail: atShell(error.message) })
  })
  const unreachable = states.pipe(
    Stream.map((now) => now._tag === "Lost"),
    Stream.changes,
    Stream.switchMap((isLost) =>
      isLost
        ? Stream.fromEffect(
            Effect.flatMap(state, (now) => tell(`${lossIn(now)?.message ?? ""} It is tried again.`)).pipe(
              Effect.andThen(Effect.delay(givenUp, patience))
            )
          )
        : Stream.empty
    ),
    Stream.runDrain
  )
  return Effect.andThen(Effect.all([refused, unreachable], { concurrency: 2, discard: true }), Effect.never)
}
