import { type Code, errorCodes } from "../../schema/JsonRpc.ts"
import { ServiceError } from "../../schema/Errors.ts"
import { nextStep } from "./NextStep.ts"

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

/**
 * The reply to a call that failed with a typed error: its fields are the data, without its tag, cause and stack, and what to
 * do next.
 */
export const typedFailure = (id: string, code: Code, error: ServiceError): string => {
  const data: Record<string, unknown> = {}
  for (const field of fieldsOf[error._tag]) data[field] = (error as unknown as Record<string, unknown>)[field]
  if (error._tag !== "InvalidParams") data["suggestion"] ??= nextStep(error)
  return failure(id, code, data)
}

const fieldsOf = Object.fromEntries(
  ServiceError.members.map((member) => [
    member.fields._tag.schema.literal,
    Object.keys(member.fields).filter((field) => field !== "_tag")
  ])
) as unknown as Readonly<Record<ServiceError["_tag"], ReadonlyArray<string>>>
