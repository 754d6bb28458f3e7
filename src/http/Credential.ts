import type { RequestHead } from "../ground/Visits.ts"

/** A JWT as a Bearer token (RFC 6750), or what stands in `X-API-Key`. */
export const credentialOf = ({ headers }: RequestHead): string | undefined => {
  const bearer = /^Bearer +([^ ]+) *$/i.exec(one(headers["authorization"]) ?? "")?.[1]
  const key = one(headers["x-api-key"])
  return bearer ?? (key === "" ? undefined : key)
}

/** A header that makes sense only once. */
export const one = (header: RequestHead["headers"][string]): string | undefined =>
  typeof header === "string" ? header : undefined
