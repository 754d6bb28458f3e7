import { AuthFailed } from "../../schema/Errors.ts"
import type { HttpReply, RequestHead } from "../ground/Visits.ts"
import { credentialOf } from "./Credential.ts"
import { queryOf } from "./PublicHttp.ts"
import { failure } from "./Refusal.ts"

/** What may stand in a URL for who can send no header, and the methods that give such a link. */
const links = { signed: "get_download_url or export_recording", token: "get_stream_url" }

/**
 * Whether what they ask for is there or not: a header may help; what stands in the URL, and is wrong or over, stays of no
 * use.
 */
export const refusedVisitor = (
  request: RequestHead,
  link: keyof typeof links,
  { reason }: Pick<AuthFailed, "reason">
): HttpReply => {
  const methods = links[link]
  if (credentialOf(request) === undefined && queryOf(request).has(link)) {
    return failure(403, new AuthFailed({ reason, suggestion: `ask ${methods} for another link` }))
  }
  const suggestion = `send a token or a key (Authorization: Bearer, or X-API-Key), or ask ${methods} for a link that needs neither`
  return failure(401, new AuthFailed({ reason, suggestion }), { "www-authenticate": "Bearer" })
}
