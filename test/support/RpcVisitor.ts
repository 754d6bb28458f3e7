import { assert } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import { type Grant, Tokens } from "../../src/auth/Tokens.ts"
import { PublicHttp } from "../../src/http/PublicHttp.ts"
import { Visitors } from "../../testing/Visitors.ts"

export interface Reply {
  readonly result?: unknown
  readonly error?: { readonly code: number; readonly data: Readonly<Record<string, unknown>> }
}

/** What a call gave, which did not fail. */
export const resultOf = <A>({ error, result }: Reply): A => {
  assert.isUndefined(error)
  return result as A
}

/** A client on the test ground that calls methods one after the other; it may come with headers of its own. */
export const connect = Effect.fnUntraced(function* (
  credential?: string,
  headers: Readonly<Record<string, string>> = {}
) {
  const { address } = yield* PublicHttp
  const visitor = yield* (yield* Visitors).connect(address.port, { target: "/ws", headers })
  /** the reply; notifications before it are passed over */
  const call = Effect.fnUntraced(function* (method: string, params: unknown = {}) {
    visitor.send(JSON.stringify({ jsonrpc: "2.0", id: 1, method, params }))
    const next = Effect.map(visitor.text, (text) => JSON.parse(text) as Reply & { readonly id?: number })
    return (yield* Effect.repeat(next, { until: ({ id }) => id === 1 })) as Reply
  })
  if (credential !== undefined) {
    const { error } = yield* call("authenticate", { auth_token: credential })
    if (error !== undefined) return yield* Effect.die(new Error(`not authenticated: ${JSON.stringify(error)}`))
  }
  return call
})

/** A token of a minute, for an admin where nothing else is said. */
export const token = (grant: Partial<Grant>) =>
  Effect.flatMap(Tokens, ({ sign }) =>
    Effect.map(sign({ userId: "ann", role: "admin", timeToLive: Duration.minutes(1), ...grant }), Redacted.value)
  )
