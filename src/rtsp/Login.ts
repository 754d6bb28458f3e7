import * as Effect from "effect/Effect"
import { shownEnough } from "./Account.ts"
import { authorization, challengesIn, isStale, strongestWay, type Way } from "./Digest.ts"
import type { Reply } from "./Message.ts"
import { RtspFailed } from "./RtspFailed.ts"
import type { RtspTarget } from "./Target.ts"

/** Cameras lock accounts after three to five wrong passwords. */
const maxRejections = 2

type LoginTarget = Pick<RtspTarget, "credentials" | "isSecure" | "port">

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
}

const fail = (detail: string) => Effect.fail(new RtspFailed({ kind: "AUTH_FAILED", detail }))

/** `cnonce`: a text of ours that the server has not chosen (RFC 7616, 5.4) */
export const makeLogin = ({ credentials, isSecure, port }: LoginTarget, cnonce: string): Login => {
  let way: Way | undefined
  /** how often this nonce was used */
  let uses = 0
  /** how often the password was not taken, in a row */
  let rejections = 0
  let isKnown = false

  return {
    sign: (method, uri) =>
      way === undefined || credentials === undefined || rejections >= maxRejections
        ? undefined
        : authorization(way, credentials, { method, uri, count: ++uses, cnonce }),
    accepted: () => {
      rejections = 0
      isKnown = true
      credentials?.account?.accepted(port)
    },
    isKnown: () => isKnown,
    refused: ({ headers }, wasSigned) => {
      if (credentials === undefined) return fail("it wants a user and a password")
      const { account } = credentials
      const challenges = challengesIn(headers.get("www-authenticate") ?? [])
      const before = way
      way = strongestWay(challenges, isSecure || credentials.mayBeSentInClear)
      uses = 0
      if (wasSigned && !isStale(challenges)) {
        rejections++
        account?.refused(port)
      }
      const isSame = before?.scheme === "digest" && way?.scheme === "digest" && before.nonce === way.nonce
      const isNoUse = way === undefined || way.scheme === "basic" || isSame || rejections >= maxRejections
      if (rejections > 0 && isNoUse) return fail("it does not take the user and the password")
      if (account?.mayShow(port) === false) return fail(shownEnough)
      if (way !== undefined) return Effect.void
      const offers = challenges.length === 0 ? "does not say how" : "offers no way to log in that may be used"
      return fail(`it wants a password and ${offers}`)
    }
  }
}
