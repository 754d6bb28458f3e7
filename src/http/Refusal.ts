import type { ServiceError } from "../../schema/Errors.ts"
import { errorCodes } from "../../schema/JsonRpc.ts"
import type { Refusal } from "../ground/Visits.ts"

type Headers = Refusal["headers"]

/*
 * What HTTP says instead of what was asked for: what is wrong, and what to do about it, in the form of JSON-RPC's errors, so
 * that a client reads one kind of them.
 */

const withBody = (status: number, error: object, headers: Headers): Refusal => ({
  status,
  headers: {
    "cache-control": "no-store",
    "x-content-type-options": "nosniff",
    ...headers,
    "content-type": "application/json"
  },
  body: `${JSON.stringify({ error })}\n`
})

/** Of HTTP's own matters: `{"error":{"message":…,"data":{"suggestion":…}}}`. */
export const refusal = (status: number, message: string, suggestion: string, headers: Headers = {}): Refusal =>
  withBody(status, { message, data: { suggestion } }, headers)

/** An error that methods give too: `{"error":{"code":…,"message":…,"data":{…}}}`. */
export const failure = (
  status: number,
  tag: ServiceError["_tag"],
  data: Readonly<Record<string, unknown>>,
  headers: Headers = {}
): Refusal => withBody(status, { ...errorCodes[tag], data }, headers)
