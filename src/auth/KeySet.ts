import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as SubscriptionRef from "effect/SubscriptionRef"
import type { CryptoKey, JWSHeaderParameters } from "jose"
import { AuthFailed } from "../../schema/Errors.ts"
import { liveNow, Settings } from "../config/Settings.ts"
import { codeOf } from "../ground/DiskError.ts"
import { NoReply } from "../ground/Loopback.ts"
import { Network } from "../ground/Network.ts"
import { Threads } from "../ground/Threads.ts"
import { monotonicNow } from "../ground/Time.ts"
import { tokenRefused } from "./Claims.ts"

/** Keys that are older are asked for again beside, in milliseconds; those that are known go on meanwhile. */
const staleAfter = 600_000
/** Whoever shows tokens with made-up keys makes us ask no more often than this; less often would keep new keys waiting. */
const pause = 30_000
/** The same while there are no keys at all. */
const pauseWithoutKeys = 5_000
const answerTime = "5 seconds"

/** The public keys of an identity provider (`auth.jwks_url`; RFC 7517), from its own server, kept in memory. */
export class KeySet extends Context.Service<
  KeySet,
  {
    /** whether there is a provider now */
    readonly isConfigured: () => boolean
    /** the one key that a token with this header can have been signed with */
    readonly keyFor: (header: JWSHeaderParameters) => Effect.Effect<CryptoKey, AuthFailed>
  }
>()("camera-service/auth/KeySet") {
  static readonly layer = Layer.effect(
    KeySet,
    Effect.gen(function* () {
      const settings = yield* Settings
      const make = yield* makeProvider
      let provider: Provider | undefined

      /** of another one than before nothing is known yet, and what was known of that one counts no more */
      const current = (): Provider | undefined => {
        const { jwks_url } = liveNow(settings).auth
        if (provider?.address !== jwks_url) {
          const url = URL.parse(jwks_url)
          provider = url === null ? undefined : make(jwks_url, url)
        }
        return provider
      }

      yield* SubscriptionRef.changes(settings.live).pipe(
        Stream.map(current),
        Stream.changes,
        Stream.runForEach((now) => now?.begin ?? Effect.void),
        Effect.forkScoped
      )
      return KeySet.of({
        isConfigured: () => current() !== undefined,
        keyFor: (header) => current()?.keyFor(header) ?? Effect.fail(new AuthFailed({ reason: "no keys" }))
      })
    })
  )
}

interface Known {
  readonly find: (header: JWSHeaderParameters) => Promise<CryptoKey>
  /** monotonic milliseconds */
  readonly at: number
}

interface Provider {
  readonly address: string
  /** has it asked, where that was not done just now */
  readonly begin: Effect.Effect<void>
  readonly keyFor: KeySet["Service"]["keyFor"]
}

/** What knows the keys of one address. */
const makeProvider = Effect.gen(function* () {
  const network = yield* Network
  const { working } = yield* Threads
  const now = yield* monotonicNow
  const scope: Scope.Scope = yield* Effect.scope

  return (address: string, url: URL): Provider => {
    let known: Known | undefined
    let askedAt = -Infinity
    let asking: Fiber.Fiber<void> | undefined

    const ask = Effect.gen(function* () {
      const { body, status } = yield* network.getJson(url)
      if (status !== 200) return yield* new NoReply({ detail: `status ${status}` })
      // loaded where there is a provider
      const { createLocalJWKSet } = yield* Effect.promise(() => import("jose/jwks/local"))
      const find = yield* Effect.try({
        try: () => createLocalJWKSet(body as Parameters<typeof createLocalJWKSet>[0]),
        catch: (cause) => new NoReply({ detail: "what it says is no JSON Web Key Set", cause })
      })
      known = { find, at: now() }
    }).pipe(
      Effect.timeoutOrElse({
        duration: answerTime,
        orElse: () => Effect.fail(new NoReply({ detail: `no answer within ${answerTime}` }))
      }),
      Effect.catch(({ detail }) =>
        Effect.logWarning("the identity provider's keys cannot be had", {
          url: `${url.origin}${url.pathname}`,
          detail,
          keys: known === undefined ? "none: its tokens are refused" : "those that are known go on"
        })
      ),
      Effect.withSpan("KeySet.ask", { root: true })
    )

    const begin = Effect.gen(function* () {
      if (now() - askedAt < (known === undefined ? pauseWithoutKeys : pause)) return
      askedAt = now()
      asking = yield* Effect.forkIn(ask, scope)
    })
    /** the same, and waits for what it says */
    const refresh = Effect.andThen(
      begin,
      Effect.suspend(() => (asking === undefined ? Effect.void : Effect.asVoid(Fiber.await(asking))))
    )

    const find = (header: JWSHeaderParameters) =>
      Effect.suspend(() =>
        known === undefined
          ? Effect.fail({ code: "", why: noKeys() })
          : Effect.tryPromise({
              try: (
                (keys: Known) => () =>
                  working(keys.find(header))
              )(known),
              catch: (cause) => ({ code: codeOf(cause), why: tokenRefused(cause) })
            })
      )

    const keyFor = Effect.fn("KeySet.keyFor")(function* (header: JWSHeaderParameters) {
      if (known === undefined) yield* refresh
      else if (now() - known.at > staleAfter) yield* begin
      return yield* find(header).pipe(
        // it may be a new one
        Effect.catchIf(
          ({ code }) => code === "ERR_JWKS_NO_MATCHING_KEY",
          () => Effect.andThen(refresh, find(header))
        ),
        Effect.mapError(({ why }) => why)
      )
    })

    return { address, begin, keyFor }
  }
})

const noKeys = () =>
  new AuthFailed({
    reason: "the identity provider's keys cannot be had at the moment",
    suggestion: "try again in some seconds; the service's log says why"
  })
