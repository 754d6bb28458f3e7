import * as RpcSerialization from "effect/rpc/RpcSerialization"
import type { ServiceError } from "../Errors.ts"
import { errorCodes } from "../JsonRpc.ts"

/**
 * Plain JSON-RPC 2.0 for Effect's stock Rpc client. Only requests go out: what the client would say beside them
 * (acknowledgements, interruptions) has no counterpart in JSON-RPC.
 */
export const make = (onNotification: (method: string, params: unknown) => void) =>
  RpcSerialization.RpcSerialization.of({
    contentType: "application/json",
    includesFraming: false,
    codecFor: RpcSerialization.json.codecFor,
    makeUnsafe: () => ({
      encode: (message) => encode(message as Outgoing),
      decode(data) {
        const message: unknown = JSON.parse(typeof data === "string" ? data : new TextDecoder().decode(data))
        return (Array.isArray(message) ? message : [message]).flatMap((entry: Incoming) => {
          if (entry.method === undefined) return [readReply(entry)]
          onNotification(entry.method, entry.params)
          return []
        })
      }
    })
  })

/** The messages of `RpcMessage.FromClientEncoded` that mean something here. */
interface Outgoing {
  readonly _tag: string
  readonly id: string | number
  readonly tag: string
  readonly payload: unknown
}

interface Incoming {
  readonly id?: string | number | null
  readonly method?: string
  readonly params?: unknown
  readonly result?: unknown
  readonly error?: {
    readonly code: number
    readonly message: string
    readonly data?: Readonly<Record<string, unknown>>
  }
}

/** The id of the pings that keep a silent connection alive; those of requests are numbers. */
const pingId = "keep-alive"

const encode = ({ _tag, id, payload, tag }: Outgoing): string | undefined => {
  if (_tag === "Ping") return JSON.stringify({ jsonrpc: "2.0", id: pingId, method: "ping" })
  if (_tag !== "Request") return undefined
  return JSON.stringify({ jsonrpc: "2.0", id, method: tag, params: payload ?? {} })
}

const readReply = ({ error, id, result }: Incoming): unknown => {
  if (id === pingId) return { _tag: "Pong" }
  // no call to blame (our frame was not even a request): all that wait would wait for ever
  if (id === null || id === undefined) return { _tag: "Defect", defect: defectOf(error) }
  if (error === undefined) return { _tag: "Exit", requestId: id, exit: { _tag: "Success", value: result } }
  const tag = tags.get(error.code)
  const reason =
    tag === undefined ? { _tag: "Die", defect: defectOf(error) } : { _tag: "Fail", error: { ...error.data, _tag: tag } }
  return { _tag: "Exit", requestId: id, exit: { _tag: "Failure", cause: [reason] } }
}

/** On the wire the code tells which error it is. */
const tags = new Map(Object.entries(errorCodes).map(([tag, { code }]) => [code, tag as ServiceError["_tag"]]))

const defectOf = (error: Incoming["error"]) => ({
  name: "JsonRpcError",
  message: error === undefined ? "a reply without id" : `${error.code} ${error.message} ${JSON.stringify(error.data)}`
})
