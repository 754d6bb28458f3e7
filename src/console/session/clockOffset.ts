import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import type { Calls } from "../../../schema/client/Calls.ts"

/** Milliseconds by which the service's clock is ahead of this machine's; undefined: it cannot be asked. */
export const clockOffset = (call: Calls): Effect.Effect<number | undefined> =>
  Effect.gen(function* () {
    const asked = yield* Clock.currentTimeMillis
    const { server_time } = yield* call.get_server_info({})
    const answered = yield* Clock.currentTimeMillis
    return Date.parse(server_time) - (asked + answered) / 2
  }).pipe(Effect.orElseSucceed(() => undefined))
