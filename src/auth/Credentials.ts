import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type { Credential, Session } from "../../schema/Auth.ts"
import { AuthFailed } from "../../schema/Errors.ts"
import { ApiKeys } from "./ApiKeys.ts"
import { ForeignTokens } from "./ForeignTokens.ts"
import { isKey } from "./KeyText.ts"
import { isSignature, SignedUrls } from "./SignedUrls.ts"
import { Tokens } from "./Tokens.ts"

/** Longer ones are none of ours. */
const maxLength = 8192

/** Whatever somebody may show to be let in: a JWT or a key. */
export class Credentials extends Context.Service<
  Credentials,
  {
    /** who it speaks for, over JSON-RPC and for downloads */
    readonly verify: (text: string) => Effect.Effect<Session, AuthFailed>
    /** the same for who watches a stream, where a viewing key will do, or a signature */
    readonly verifyViewer: (text: string) => Effect.Effect<Session, AuthFailed>
    /** whether an identity provider may have to be asked first; what everything else says is known here */
    readonly mayAskOthers: (text: string) => boolean
  }
>()("camera-service/auth/Credentials") {
  static readonly layer = Layer.effect(
    Credentials,
    Effect.gen(function* () {
      const keys = yield* ApiKeys
      const tokens = yield* Tokens
      const foreign = yield* ForeignTokens
      const signedUrls = yield* SignedUrls

      const verify = (text: string) => {
        if (text.length > maxLength) return Effect.fail(new AuthFailed({ reason: "the token is not valid" }))
        if (isKey(text)) return keys.verify(text)
        return foreign.isOne(text) ? foreign.verify(text) : tokens.verify(text)
      }
      return Credentials.of({
        verify: (text) =>
          Effect.filterOrFail(
            verify(text),
            ({ credential }) => credential.kind !== "viewing key",
            () => new AuthFailed({ reason: "a viewing key opens streams only" })
          ),
        verifyViewer: (text) => (isSignature(text) ? signedUrls.verify("stream", text) : verify(text)),
        mayAskOthers: (text) => text.length <= maxLength && !isKey(text) && !isSignature(text) && foreign.isOne(text)
      })
    })
  ).pipe(Layer.provide(ForeignTokens.layer))
}

/** What ends a credential before its time. */
const endOf = (credential: Credential): Deferred.Deferred<void> =>
  credential.kind === "token" ? credential.terms.over : credential.revoked

/** Why a session is over; undefined while it is not. `now`: epoch milliseconds */
export const whyOver = ({ credential, expiresAt }: Session, now: number): string | undefined => {
  if (expiresAt <= now) return credential.kind === "token" ? "the token has expired" : "the key has expired"
  if (!Deferred.isDoneUnsafe(endOf(credential))) return undefined
  return credential.kind === "token" ? "tokens have to be others than before" : "the key was revoked"
}

/** The wall clock may be set while somebody waits for a time on it: it is looked at this often. */
const lookAgainAfter = 60_000

/** Waits until a session is over, and tells why. */
export const untilOver = (session: Session): Effect.Effect<string> => {
  const { credential, expiresAt } = session
  const expired = Effect.flatMap(Clock.currentTimeMillis, (now) =>
    Effect.sleep(Math.min(Math.max(0, expiresAt - now), lookAgainAfter))
  )
  return Effect.raceFirst(expired, Deferred.await(endOf(credential))).pipe(
    Effect.andThen(Effect.map(Clock.currentTimeMillis, (now) => whyOver(session, now))),
    Effect.repeat({ until: (why) => why !== undefined }),
    Effect.map((why) => why ?? "")
  )
}
