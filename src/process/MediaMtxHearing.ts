import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import type * as Stream from "effect/Stream"
import { tail } from "./Lines.ts"
import { deafnessIn } from "./MediaMtxEnd.ts"
import { relog, type SaidLately } from "./MediaMtxLog.ts"
import { type RecorderFailed, recorderFailureIn } from "./RecorderFailure.ts"

/** Logs what one run of MediaMTX prints, as long as the scope lasts, and hears in it what its API does not tell. */
export const hear = Effect.fnUntraced(function* <E>(
  output: Stream.Stream<Uint8Array, E>,
  lately: SaidLately,
  failed: (failure: RecorderFailed) => void
) {
  const said = tail(5)
  const deaf = yield* Deferred.make<string>()
  const onLine = (line: string): void => {
    said.add(line)
    const failure = recorderFailureIn(line)
    if (failure !== undefined) failed(failure)
    const deafness = deafnessIn(line)
    if (deafness !== undefined) Deferred.doneUnsafe(deaf, Effect.succeed(deafness))
  }
  const logging = yield* Effect.forkScoped(relog(output, lately, onLine), { startImmediately: true })
  return {
    /** The last lines of one that has ended: they may still be in the pipe. */
    lastWords: Fiber.await(logging).pipe(Effect.timeoutOption("200 millis"), Effect.map(said.text)),
    /** Waits until it takes no viewers any more, and says why. */
    deafness: Deferred.await(deaf)
  }
})
