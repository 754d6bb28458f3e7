import type { ServiceError } from "./Errors.ts"

/** The codes and words of JSON-RPC 2.0 (https://www.jsonrpc.org/specification, section 5.1) and of this service. */

export interface Code {
  readonly code: number
  readonly message: string
}

export const parseError: Code = { code: -32700, message: "Parse error" }
export const invalidRequest: Code = { code: -32600, message: "Invalid Request" }
export const methodNotFound: Code = { code: -32601, message: "Method not found" }
export const internalError: Code = { code: -32603, message: "Internal error" }

/** One code for each typed error; a client reads it back to tell which error it holds. */
export const errorCodes: { readonly [Tag in ServiceError["_tag"]]: Code } = {
  InvalidParams: { code: -32602, message: "Invalid params" },
  AuthFailed: { code: -32001, message: "Auth Failed" },
  PermissionDenied: { code: -32002, message: "Permission Denied" },
  NotFound: { code: -32010, message: "Not Found" },
  InvalidState: { code: -32020, message: "Invalid State" },
  Unsupported: { code: -32030, message: "Unsupported" },
  RateLimited: { code: -32040, message: "Rate Limited" },
  DependencyFailed: { code: -32050, message: "Dependency Failed" }
}

/** A batch may hold this many calls. */
export const maxBatchEntries = 50
/** One text frame may hold this many bytes; a larger one closes the connection with code 1009. */
export const maxFrameBytes = 1 << 20
