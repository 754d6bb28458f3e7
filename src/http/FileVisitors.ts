import * as Effect from "effect/Effect"
import { AuthFailed } from "../../schema/Errors.ts"
import { Credentials } from "../auth/Credentials.ts"
import { FailedLogins } from "../auth/FailedLogins.ts"
import { SignedUrls, type Use } from "../auth/SignedUrls.ts"
import type { RequestHead } from "../ground/Visits.ts"
import { credentialOf } from "./Credential.ts"
import { queryOf } from "./PublicHttp.ts"

/** What stands in the URL for who can send no header. */
const signatureOf = (request: RequestHead): string | undefined => queryOf(request).get("signed") ?? undefined

/** Makes what tells who asks for something that is kept: they show a credential, or that it was signed for them. */
export const makeFileVisitors = Effect.gen(function* () {
  const credentials = yield* Credentials
  const signedUrls = yield* SignedUrls
  const failedLogins = yield* FailedLogins

  return Effect.fnUntraced(function* (use: Use | undefined, request: RequestHead) {
    const { address } = request
    const credential = credentialOf(request)
    if (credential !== undefined) {
      const login = { address, credential, over: "a download" } as const
      return yield* failedLogins.slowed(login, credentials.verify(credential))
    }
    const signature = signatureOf(request)
    if (signature === undefined || use === undefined) {
      return yield* new AuthFailed({ reason: "a token or a key is needed" })
    }
    const login = { address, credential: signature, over: "a signed URL" } as const
    return yield* failedLogins.slowed(login, signedUrls.verify(use, signature))
  })
})
