import type { ServiceError } from "../../schema/Errors.ts"
import { errorCodes } from "../../schema/JsonRpc.ts"
import type { HttpReply } from "../ground/Visits.ts"

/** A refusal in the words of JSON-RPC: `{"error":{"code":…,"message":…,"data":{…}}}`, so that a client reads one kind of error. */
export const refusal = (
  status: number,
  tag: ServiceError["_tag"],
  data: Readonly<Record<string, unknown>>,
  headers: HttpReply["headers"] = {}
): HttpReply => ({
  status,
  headers: {
    ...headers,
    "content-type": "application/json",
    "cache-control": "no-store",
    "x-content-type-options": "nosniff"
  },
  body: `${JSON.stringify({ error: { ...errorCodes[tag], data } })}\n`
})
