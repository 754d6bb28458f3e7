import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { AuthFailed } from "../../schema/Errors.ts"
import { networkOf } from "../config/Hosts.ts"
import { monotonicNow } from "../ground/Time.ts"
import { readKey } from "./KeyText.ts"

/** Somebody shows a credential. */
export interface Login {
  /** where they come from */
  readonly address: string
  readonly credential: string
  readonly over: "JSON-RPC" | "a download" | "a stream" | "MediaMTX" | "a signed URL"
}

/** So many failures cost nothing: a person who mistypes, a client with an old token. */
const free = 10
/** The first answer that comes late does so by this, each next one by twice as much, up to `longest`; in milliseconds. */
const shortest = 250
const longest = 5_000
/** A failure is forgotten when there is none after it for so long, in milliseconds. */
const forgottenAfter = 600_000
/** So many addresses, and as many credentials, are remembered: those that failed last. */
const mostRemembered = 5_000
/** So many answers may wait at once; to hold more would cost us more than whoever guesses. */
const mostWaiting = 1_000
/** The log tells of one address, and of all together, no more often than this; in milliseconds. */
const tellOneEvery = 10_000
const tellEvery = 1_000

interface Failures {
  count: number
  /** monotonic milliseconds */
  at: number
  toldAt: number
}

/**
 * Whoever shows wrong credentials gets the answer the later the more there were, by address and by credential. Right
 * ones are never held up, whoever shares their address: a proxy, a household, MediaMTX.
 */
export class FailedLogins extends Context.Service<
  FailedLogins,
  {
    /** runs a login; where it fails that is remembered, told in the log, and answered late */
    readonly slowed: <A>(login: Login, verify: Effect.Effect<A, AuthFailed>) => Effect.Effect<A, AuthFailed>
    /** the same for who must not wait */
    readonly noted: <A>(login: Login, verify: Effect.Effect<A, AuthFailed>) => Effect.Effect<A, AuthFailed>
  }
>()("camera-service/auth/FailedLogins") {
  static readonly layer = Layer.effect(
    FailedLogins,
    Effect.gen(function* () {
      const now = yield* monotonicNow
      const addresses = new Map<string, Failures>()
      const credentials = new Map<string, Failures>()
      let waiting = 0
      let toldAt = -Infinity
      let untold = 0

      const remember = (known: Map<string, Failures>, name: string): Failures => {
        const before = known.get(name)
        const at = now()
        const isFresh = before !== undefined && at - before.at < forgottenAfter
        const failures = isFresh ? before : { count: 0, at, toldAt: -Infinity }
        failures.count++
        failures.at = at
        // last in the order, in which the first is forgotten
        known.delete(name)
        known.set(name, failures)
        if (known.size > mostRemembered) known.delete(known.keys().next().value ?? "")
        return failures
      }

      const tell = ({ address, over }: Login, { reason }: AuthFailed, failures: Failures) =>
        Effect.suspend(() => {
          const at = now()
          if (at - toldAt < tellEvery || at - failures.toldAt < tellOneEvery) {
            untold++
            return Effect.void
          }
          const more = untold === 0 ? {} : { not_told: untold }
          toldAt = at
          failures.toldAt = at
          untold = 0
          const what = over === "a signed URL" ? "a signed URL was refused" : "a login failed"
          return Effect.logWarning(what, { address, over, reason, failures: failures.count, ...more })
        })

      /** remembers a failure; gives by how long its answer is late */
      const note = Effect.fnUntraced(function* (login: Login, error: AuthFailed) {
        const network = networkOf(login.address)
        // a page that was left open shows many that have expired, and whoever got the URL the same one: logins pay for neither
        const isUrl = login.over === "a signed URL"
        const byAddress = remember(addresses, isUrl ? `URLs from ${network}` : network)
        const byCredential = isUrl ? byAddress : remember(credentials, nameOf(login.credential))
        yield* tell(login, error, byAddress)
        const beyond = Math.max(byAddress.count, byCredential.count) - free
        return beyond <= 0 ? 0 : Math.min(longest, shortest * 2 ** (beyond - 1))
      })

      const hold = (millis: number) =>
        Effect.suspend(() => {
          if (millis === 0 || waiting >= mostWaiting) return Effect.void
          waiting++
          return Effect.ensuring(
            Effect.sleep(millis),
            Effect.sync(() => waiting--)
          )
        })

      return FailedLogins.of({
        slowed: (login, verify) => Effect.tapError(verify, (error) => Effect.flatMap(note(login, error), hold)),
        noted: (login, verify) => Effect.tapError(verify, (error) => note(login, error))
      })
    })
  )
}

/** What a credential is remembered by: a key's public part, or 32 bits of a token (FNV-1a), which give nothing away. */
const nameOf = (credential: string): string => {
  const key = readKey(credential)
  if (key !== undefined) return key.id
  let hash = 0x811c9dc5
  for (let i = 0; i < Math.min(credential.length, 8192); i++) {
    hash = Math.imul(hash ^ credential.charCodeAt(i), 0x01000193)
  }
  return String(hash)
}
