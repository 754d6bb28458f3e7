import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type { Visitor } from "../../testing/Visitors.ts"
import type { Trace } from "./Trace.ts"

interface Reply {
  readonly id?: number | null
  readonly error?: { readonly code: number }
}

/** A client of the service that keeps count of what it asked and what it was answered. */
export interface Client {
  readonly name: string
  readonly call: (method: string, params: unknown) => void
  /** asked, and not answered yet: what, and when (milliseconds that had passed) */
  readonly open: ReadonlyMap<number, { readonly method: string; readonly since: number }>
  /** the last answer */
  readonly last: () => Reply
  /** answers to nothing that was asked, or to what was answered before */
  readonly surplus: ReadonlyArray<string>
  /** when it asked last (milliseconds that had passed) */
  readonly askedAt: () => number
  readonly isReading: () => boolean
  readonly isConnected: () => boolean
  readonly stopReading: () => void
  readonly readOn: () => void
  readonly vanish: () => void
  readonly leave: () => void
}

export const makeClient = Effect.fnUntraced(function* (
  name: string,
  visitor: Visitor,
  passed: () => number,
  trace: Trace
): Effect.fn.Return<Client, never, Scope.Scope> {
  const open = new Map<number, { readonly method: string; readonly since: number }>()
  const surplus: Array<string> = []
  let calls = 0
  let askedAt = 0
  let last: Reply = {}
  let isReading = true
  let isConnected = true

  const hear = Effect.map(visitor.text, (text) => {
    const message = JSON.parse(text) as Reply
    trace.note(name, text)
    if (message.id === undefined) return
    last = message
    if (typeof message.id !== "number" || !open.delete(message.id)) surplus.push(text)
  })
  yield* Effect.forkScoped(Effect.forever(hear))
  const over = Effect.map(visitor.closed, ({ code, reason }) => {
    isConnected = false
    trace.note(name, `closed ${code} ${reason}`)
  })
  yield* Effect.forkScoped(over)

  return {
    name,
    call: (method, params) => {
      const id = ++calls
      askedAt = passed()
      if (isConnected) open.set(id, { method, since: passed() })
      visitor.send(JSON.stringify({ jsonrpc: "2.0", id, method, params }))
    },
    open,
    last: () => last,
    surplus,
    askedAt: () => askedAt,
    isReading: () => isReading,
    isConnected: () => isConnected,
    stopReading: () => {
      isReading = false
      visitor.stopReading()
    },
    readOn: () => {
      isReading = true
      visitor.readOn()
    },
    vanish: () => {
      isConnected = false
      visitor.vanish()
    },
    leave: () => {
      isConnected = false
      visitor.leave(1000)
    }
  }
})
