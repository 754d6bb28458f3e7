import * as Deferred from "effect/Deferred"
import type { Credential } from "../../schema/Auth.ts"

/** Of a token that another signed, and that the configuration leaves in force. */
export const tokenCredential: Credential = {
  kind: "token",
  lifetime: undefined,
  terms: { signer: "provider", id: "unlikely", over: Deferred.makeUnsafe() }
}
