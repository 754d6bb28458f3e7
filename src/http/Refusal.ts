import type { ServiceError } from "../../schema/Errors.ts"
import { errorCodes } from "../../schema/JsonRpc.ts"
import type { Refusal } from "../ground/Visits.ts"
import { errorData } from "./ErrorData.ts"

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
export const failure = (status: number, error: ServiceError, headers: Headers = {}): Refusal =>
  withBody(status, { ...errorCodes[error._tag], data: errorData(error) }, headers)
