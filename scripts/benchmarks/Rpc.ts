import { once } from "node:events"
import { WebSocket } from "ws"

interface Message {
  readonly id?: number
  readonly result?: unknown
  readonly error?: unknown
}

/** A connection that knows JSON-RPC 2.0 and nothing of the service. */
export interface Rpc extends Disposable {
  /** the result, whose shape the caller knows; fails with the error */
  readonly call: <A = unknown>(method: string, params?: unknown) => Promise<A>
}

/** Options of every socket here: what costs the measuring side time is off. */
export const socketOptions = { perMessageDeflate: false, skipUTF8Validation: true } as const

/** Connects, and authenticates where there is a token. */
export const connect = async (url: string, token?: string): Promise<Rpc> => {
  const socket = new WebSocket(url, socketOptions)
  const waiting = new Map<number, PromiseWithResolvers<unknown>>()
  let lastId = 0
  socket.on("message", (data: Buffer) => {
    const { error, id, result } = JSON.parse(data.toString()) as Message
    if (id === undefined) return
    const reply = waiting.get(id)
    waiting.delete(id)
    if (error === undefined) reply?.resolve(result)
    else reply?.reject(new Error(JSON.stringify(error)))
  })
  await once(socket, "open")
  socket.on("error", () => socket.terminate())
  socket.on("close", (code) => {
    for (const { reject } of waiting.values()) reject(new Error(`the connection was closed (${code})`))
  })
  const rpc: Rpc = {
    call: <A>(method: string, params?: unknown) => {
      const id = ++lastId
      const reply = Promise.withResolvers<unknown>()
      waiting.set(id, reply)
      socket.send(JSON.stringify({ jsonrpc: "2.0", id, method, params }))
      return reply.promise as Promise<A>
    },
    [Symbol.dispose]: () => socket.terminate()
  }
  if (token !== undefined) await rpc.call("authenticate", { auth_token: token })
  return rpc
}
