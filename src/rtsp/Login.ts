import * as Effect from "effect/Effect"
import { authorization, type Challenge, challengesIn, isStale, strongestWay, type Way } from "./Digest.ts"
import type { Reply } from "./Message.ts"
import { RtspFailed } from "./RtspFailed.ts"
import type { RtspTarget } from "./Target.ts"
import { tooManyTrials, type Trial } from "./Trials.ts"

/** A connection on which the password was not taken so often is no use. */
const maxRejections = 2

type LoginTarget = Pick<RtspTarget, "credentials" | "isSecure">

/** Who we are to one server, on one connection. */
export interface Login {
  /** the value of the `Authorization` header of a request; undefined: it has none */
  readonly sign: (method: string, uri: string) => string | undefined
  /** a request that was signed was not refused */
  readonly accepted: () => void
  /** whether one ever was accepted */
  readonly isKnown: () => boolean
  /** a request was refused (401): fails where it is no use to sign it (again) */
  readonly refused: (reply: Pick<Reply, "headers">, wasSigned: boolean) => Effect.Effect<void, RtspFailed>
  /** the connection is over: what was shown last has no answer */
  readonly end: () => void
}

const failed = (detail: string) => new RtspFailed({ kind: "AUTH_FAILED", detail })

/** `cnonce`: a text of ours that the server has not chosen (RFC 7616, 5.4) */
export const makeLogin = ({ credentials, isSecure }: LoginTarget, cnonce: string): Login => {
  let way: Way | undefined
  /** how often this nonce was used */
  let uses = 0
  /** how often the password was not taken, in a row */
  let rejections = 0
  let isKnown = false
  let trial: Trial | undefined
  const settle = (how: keyof Trial): void => {
    trial?.[how]()
    trial = undefined
  }

  return {
    sign: (method, uri) => {
      if (way === undefined || credentials === undefined || rejections >= maxRejections) return undefined
      // where it was taken it is no trial any more
      return isKnown || trial !== undefined
        ? authorization(way, credentials, { method, uri, count: ++uses, cnonce })
        : undefined
    },
    accepted: () => {
      settle("taken")
      rejections = 0
      isKnown = true
    },
    isKnown: () => isKnown,
    refused: Effect.fnUntraced(function* ({ headers }, wasSigned) {
      if (credentials === undefined) return yield* failed("it wants a user and a password")
      const { trials } = credentials
      const challenges = challengesIn(headers.get("www-authenticate") ?? [])
      const before = way
      way = strongestWay(challenges, isSecure || credentials.mayBeSentInClear)
      uses = 0
      const isRejected = wasSigned && !isStale(challenges)
      if (isRejected) rejections++
      if (isRejected && trial === undefined) trials.lost()
      settle(isRejected ? "refused" : "void")
      isKnown &&= !isRejected
      const isSame = before?.scheme === "digest" && way?.scheme === "digest" && before.nonce === way.nonce
      const isNoUse = way === undefined || way.scheme === "basic" || isSame || rejections >= maxRejections
      if (rejections > 0 && isNoUse) return yield* failed("it does not take the user and the password")
      if (way === undefined) return yield* failed(`it wants a password and ${offerIn(challenges)}`)
      if (isKnown) return
      trial = yield* trials.begin
      if (trial === undefined) return yield* failed(tooManyTrials(trials))
    }),
    end: () => settle("void")
  }
}

const offerIn = (challenges: ReadonlyArray<Challenge>): string => {
  if (challenges.length === 0) return "does not say how"
  if (!challenges.some(({ scheme }) => scheme === "basic")) return "offers no way to log in that is known here"
  return (
    "takes it in clear alone (Basic, without TLS), where all on the way can read it: " +
    "external.allow_basic_over_plaintext allows that"
  )
}
