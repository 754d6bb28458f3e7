import { type Code, errorCodes, invalidRequest, methodNotFound } from "../../schema/JsonRpc.ts"
import { nearest } from "../config/Nearest.ts"
import type { Connection } from "./Connection.ts"
import { hasValidId, isResponse, readEnvelope } from "./Envelope.ts"
import type { Method } from "./Methods.ts"
import { failure, typedFailure } from "./Reply.ts"
import type { RequestLimits } from "./RequestLimits.ts"
import { type FrameEntry, notRun } from "./TextFrame.ts"

/** What an entry of a frame asks for: a call, or nothing; or why it is refused, and what is answered, if anything. */
export type Request =
  | { readonly _tag: "Call"; readonly method: Method; readonly params: unknown }
  | { readonly _tag: "Nothing" }
  | { readonly _tag: "Refused"; readonly code: Code; readonly reply: string | undefined }

/** Counts it against what the connection may ask for. */
export const readRequest = (
  { frame, id, message }: FrameEntry,
  connection: Connection,
  methods: ReadonlyMap<string, Method>,
  limits: RequestLimits["Service"]
): Request => {
  // what we never asked for needs no answer; one would be answered in turn, for ever
  if (isResponse(message)) return { _tag: "Nothing" }
  const envelope = readEnvelope(message)
  if (typeof envelope === "string") {
    // an id that is no id cannot come back (section 5: "it MUST be Null")
    const known = id === undefined || !hasValidId(message) ? "null" : id
    return refused(invalidRequest, failure(known, invalidRequest, { hint: envelope }))
  }
  const exceeded = frame.isFull ? notRun() : limits.take(connection)
  if (exceeded !== undefined) {
    const code = errorCodes.RateLimited
    return refused(code, id === undefined ? undefined : typedFailure(id, code, exceeded))
  }
  const method = methods.get(envelope.method)
  if (method !== undefined) return { _tag: "Call", method, params: envelope.params }
  if (id === undefined) return refused(methodNotFound, undefined)
  return refused(methodNotFound, failure(id, methodNotFound, { hint: hintFor(envelope.method, methods) }))
}

const refused = (code: Code, reply: string | undefined): Request => ({ _tag: "Refused", code, reply })

const hintFor = (name: string, methods: ReadonlyMap<string, Method>): string => {
  const near = nearest(name, methods.keys())
  return near === undefined ? "get_server_info tells what this server is" : `did you mean ${near}?`
}
