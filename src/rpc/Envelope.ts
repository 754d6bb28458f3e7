/** The objects of JSON-RPC 2.0 (https://www.jsonrpc.org/specification) as they come. */

/** What a request or notification asks for. */
interface Envelope {
  readonly method: string
  /** an object, an array, null or undefined */
  readonly params: unknown
}

/** Whether its id is one that may come back (section 4). */
export const hasValidId = (message: unknown): boolean => {
  const id = (message as { readonly id?: unknown }).id
  return id === null || typeof id === "string" || typeof id === "number"
}

/** A response object (section 5). */
export const isResponse = (message: unknown): boolean =>
  typeof message === "object" &&
  message !== null &&
  !Object.hasOwn(message, "method") &&
  (Object.hasOwn(message, "result") || Object.hasOwn(message, "error"))

/** A request or notification object (section 4), or what is wrong with it. */
export const readEnvelope = (message: unknown): Envelope | string => {
  if (typeof message !== "object" || message === null || Array.isArray(message)) return "a request is an object"
  const { jsonrpc, method, params } = message as Record<string, unknown>
  if (jsonrpc !== "2.0") return 'jsonrpc must be "2.0"'
  if (typeof method !== "string") return "method must be a string"
  if (Object.hasOwn(message, "id") && !hasValidId(message)) return "id must be a string, a number or null"
  if (params !== undefined && typeof params !== "object") return "params must be an object or an array"
  return { method, params }
}
