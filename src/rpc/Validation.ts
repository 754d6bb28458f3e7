import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { Validation } from "../../schema/Auth.ts"
import type { InvalidParams } from "../../schema/Errors.ts"

/**
 * Stands in for params that did not decode. The call still goes the whole way, so that `Authorization` may refuse it
 * first; only then does `Validation` tell what was wrong with the params.
 */
export class InvalidPayload {
  readonly error: InvalidParams

  constructor(error: InvalidParams) {
    this.error = error
  }
}

/** Fails with what is wrong with the params, where something is. */
export const layer = Layer.succeed(
  Validation,
  Validation.of((effect, { payload }) => (payload instanceof InvalidPayload ? Effect.fail(payload.error) : effect))
)
