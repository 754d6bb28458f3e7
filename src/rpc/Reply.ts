import { isCameraId } from "../../schema/Camera.ts"
import { type Code, errorCodes } from "../../schema/JsonRpc.ts"
import type { ServiceError } from "../../schema/Errors.ts"
import { errorData } from "../http/ErrorData.ts"

/** The texts that go back to a client (JSON-RPC 2.0, section 5). An id is given as the raw text of the request's. */

export const success = (id: string, result: string): string => `{"jsonrpc":"2.0","id":${id},"result":${result}}`

export const failure = (id: string, { code, message }: Code, data: object): string =>
  `{"jsonrpc":"2.0","id":${id},"error":{"code":${code},"message":${JSON.stringify(message)},"data":${JSON.stringify(data)}}}`

export const notificationText = (method: string, params: unknown): string =>
  JSON.stringify({ jsonrpc: "2.0", method, params })

/** The code of a typed error; undefined for anything else that a handler may have failed with. */
export const codeFor = (error: unknown): Code | undefined =>
  typeof error === "object" && error !== null && "_tag" in error && Object.hasOwn(errorCodes, String(error._tag))
    ? errorCodes[error._tag as ServiceError["_tag"]]
    : undefined

/** The reply to a call that failed with a typed error. */
export const typedFailure = (id: string, code: Code, error: ServiceError): string => failure(id, code, errorData(error))

/** What is told of the error: whoever asks of many cameras at once does not know which call of theirs met it. */
export const namingCamera = (error: ServiceError, params: unknown): object => {
  const data = errorData(error)
  if (error._tag !== "DependencyFailed" || error.details !== undefined) return data
  const device = typeof params === "object" && params !== null && "device" in params ? params.device : undefined
  return isCameraId(device) ? { ...data, details: device } : data
}
