import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as Stream from "effect/Stream"
import * as SubscriptionRef from "effect/SubscriptionRef"
import { type Signer, signers, type TokenTerms } from "../../schema/Auth.ts"
import type { Live } from "../config/LiveSettings.ts"
import { liveNow, Settings } from "../config/Settings.ts"
import { hmacSha256 } from "../ground/Hmac.ts"

/** What tokens of this signer have to be. */
const writtenFor = (signer: Signer, { audience, issuer, jwks_url }: Live["auth"]): string =>
  JSON.stringify([signer, issuer, audience, ...(signer === "provider" ? [jwks_url] : [])])

/**
 * Makes what knows the terms that hold now. Those before are over as soon as the configuration says something else; those of
 * another secret (`key` comes from it) were others.
 */
export const makeTerms = Effect.fnUntraced(function* (key: Redacted.Redacted) {
  const settings = yield* Settings
  const latest = new Map<Signer, TokenTerms & { readonly written: string }>()
  const current = (signer: Signer): TokenTerms => {
    const written = writtenFor(signer, liveNow(settings).auth)
    const before = latest.get(signer)
    if (before?.written === written) return before
    if (before !== undefined) Deferred.doneUnsafe(before.over, Effect.void)
    const terms = {
      signer,
      written,
      id: hmacSha256(Redacted.value(key), written).slice(0, 8),
      over: Deferred.makeUnsafe<void>()
    }
    latest.set(signer, terms)
    return terms
  }
  yield* SubscriptionRef.changes(settings.live).pipe(
    Stream.runForEach(() => Effect.sync(() => signers.forEach(current))),
    Effect.forkScoped
  )
  return current
})
