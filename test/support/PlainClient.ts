import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Queue from "effect/Queue"
import { WebSocket } from "ws"

/** An `error` of JSON-RPC 2.0. */
interface RpcFailure {
  readonly code: number
  readonly message: string
  readonly data: Readonly<Record<string, unknown>>
}

interface Reply {
  readonly result?: unknown
  readonly error?: RpcFailure
}

export interface Notice {
  readonly method: string
  readonly params: Readonly<Record<string, unknown>>
}

/** A client that knows JSON-RPC 2.0 and WebSocket, and nothing else of the service. */
export interface PlainClient {
  readonly call: (method: string, params?: unknown) => Effect.Effect<Reply>
  /** the result, or a defect with the error; what its shape is the caller says */
  readonly result: <A = unknown>(method: string, params?: unknown) => Effect.Effect<A>
  /** the error's code and message, and the fields of its data beside them */
  readonly error: (method: string, params?: unknown) => Effect.Effect<Readonly<Record<string, unknown>>>
  /** the next notification of this method that satisfies `wanted`; those before it are passed over */
  readonly notice: (method: string, wanted?: (params: Notice["params"]) => boolean) => Effect.Effect<Notice["params"]>
  /** all notifications so far */
  readonly notices: () => ReadonlyArray<Notice>
  /** every text frame so far */
  readonly texts: () => ReadonlyArray<string>
  /** the code that the connection was closed with */
  readonly closed: Effect.Effect<number>
}

type Message = Reply & { readonly id?: number | string | null } & Partial<Notice>

export const connect = Effect.fnUntraced(function* (url: string, token?: string) {
  const waiting = new Map<number, Deferred.Deferred<Reply>>()
  const queue = yield* Queue.unbounded<Notice>()
  const closed = yield* Deferred.make<number>()
  const notices: Array<Notice> = []
  const texts: Array<string> = []
  let lastId = 0

  const take = (text: string): void => {
    texts.push(text)
    const { error, id, method, params, result } = JSON.parse(text) as Message
    if (method !== undefined && params !== undefined) {
      notices.push({ method, params })
      Queue.offerUnsafe(queue, { method, params })
    } else {
      const reply = error === undefined ? { result } : { error }
      Deferred.doneUnsafe(waiting.get(Number(id)) ?? Deferred.makeUnsafe<Reply>(), Effect.succeed(reply))
      waiting.delete(Number(id))
    }
  }

  const socket = yield* Effect.acquireRelease(
    Effect.callback<WebSocket>((resume) => {
      const made = new WebSocket(url)
      made.on("message", (data: Buffer) => take(data.toString()))
      made.once("close", (code) => Deferred.doneUnsafe(closed, Effect.succeed(code)))
      made.once("open", () => resume(Effect.succeed(made)))
      made.on("error", (cause) => resume(Effect.die(cause)))
    }),
    (made) => Effect.sync(() => made.terminate())
  )

  const call = (method: string, params?: unknown) =>
    Effect.suspend(() => {
      const id = ++lastId
      const reply = Deferred.makeUnsafe<Reply>()
      waiting.set(id, reply)
      socket.send(JSON.stringify({ jsonrpc: "2.0", id, method, ...(params === undefined ? {} : { params }) }))
      return Deferred.await(reply)
    })

  const client: PlainClient = {
    call,
    result: <A>(method: string, params?: unknown) =>
      Effect.flatMap(call(method, params), ({ error, result }) =>
        error === undefined ? Effect.succeed(result as A) : Effect.die(new Error(`${method}: ${JSON.stringify(error)}`))
      ),
    error: (method, params) =>
      Effect.flatMap(call(method, params), ({ error, result }) =>
        error === undefined
          ? Effect.die(new Error(`${method} was expected to fail: ${JSON.stringify(result)}`))
          : Effect.succeed({ ...error.data, code: error.code, message: error.message })
      ),
    notice: (method, wanted = () => true) =>
      Queue.take(queue).pipe(
        Effect.repeat({ until: (notice) => notice.method === method && wanted(notice.params) }),
        Effect.map(({ params }) => params)
      ),
    notices: () => notices,
    texts: () => texts,
    closed: Deferred.await(closed)
  }
  if (token !== undefined) yield* client.result("authenticate", { auth_token: token })
  return client
})
