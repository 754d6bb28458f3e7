import * as Clock from "effect/Clock"
import { SecureRandom } from "effect/crypto/SecureRandom"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Hex from "effect/encoding/Hex"
import { urlAuthority } from "../../config/Hosts.ts"
import { Network } from "../../ground/Network.ts"
import type { WebReply } from "../../ground/WebExchange.ts"
import { authorization, challengesIn, isStale, strongestWay, type Way } from "../../rtsp/Digest.ts"
import type { RtspCredentials } from "../../rtsp/Target.ts"
import { tooManyTrials } from "../../rtsp/Trials.ts"
import { webFault } from "../WebFault.ts"
import { getSystemDateAndTime, type OnvifCall } from "./OnvifCalls.ts"
import { OnvifFailed, type OnvifTarget, type ServiceAddress } from "./OnvifTarget.ts"
import { contentType, request, saidIn, type UsernameToken } from "./Soap.ts"
import { usernameTokens } from "./WsSecurity.ts"
import { loadXml, maxXmlBytes, type ReadXml } from "./Xml.ts"

/** A camera that is slow needs half a second for a call. */
const answerTime = "3 seconds"
/** By so many milliseconds clocks differ that are both meant to be right. */
const muchOff = 60_000

export interface OnvifSession {
  readonly ask: <A>(call: OnvifCall<A>, service: ServiceAddress) => Effect.Effect<A, OnvifFailed>
  /** why the camera's clock is not known, where it is not: ours stands in for it */
  readonly clockFailure: OnvifFailed | undefined
  /** SHA-256 of the certificate that the camera has shown, in hex, where it was asked over TLS: one for all it is asked */
  readonly fingerprint: () => string | undefined
}

/** The camera wants to know better who asks; `way`: how, where that was not tried. */
class Refusal extends Data.TaggedError("Refusal")<{ readonly detail: string; readonly way?: Way }> {}

/** What one attempt is, and its answer. */
interface Attempt<A> {
  readonly call: OnvifCall<A>
  readonly service: ServiceAddress
  readonly as: RtspCredentials | undefined
}

/**
 * What begins to talk to a device. Who asks shows a user's name token (WS-Security) for the camera's own clock, which is
 * read first and never set; where the camera wants HTTP's digest instead, that.
 */
export const makeSessions = Effect.gen(function* () {
  const network = yield* Network
  const { randomBytes } = yield* SecureRandom
  const makeToken = yield* usernameTokens

  const post = (
    { address, fingerprint }: OnvifTarget,
    service: ServiceAddress,
    headers: Readonly<Record<string, string>>,
    body: string
  ) =>
    network
      .exchange({
        address,
        port: service.port,
        isSecure: service.isSecure,
        method: "POST",
        target: service.path,
        headers: { host: urlAuthority(address, service.port), ...headers },
        body,
        maxBytes: maxXmlBytes,
        ...(fingerprint === undefined ? {} : { fingerprint })
      })
      .pipe(
        Effect.mapError((cause) => new OnvifFailed(webFault(cause))),
        Effect.timeoutOrElse({
          duration: answerTime,
          orElse: () => Effect.fail(failed("UNREACHABLE", `no answer within ${answerTime}`))
        })
      )

  return Effect.fn("OnvifSession.begin")(function* (target: OnvifTarget) {
    const readXml = yield* loadXml
    /** milliseconds by which the camera's clock is ahead of ours */
    let clockOffset = 0
    let digest: { readonly way: Way; count: number } | undefined
    let isAccepted = false
    let pinned = target

    const say = Effect.fnUntraced(function* (
      { call, service }: Attempt<unknown>,
      token?: UsernameToken,
      more?: Readonly<Record<string, string>>
    ) {
      const headers = { "content-type": contentType(call), ...more }
      const reply = yield* post(pinned, service, headers, request(call, token))
      if (reply.fingerprint !== undefined) pinned = { ...pinned, fingerprint: reply.fingerprint }
      return reply
    })

    const send = Effect.fnUntraced(function* (one: Attempt<unknown>) {
      const { as, service } = one
      if (as === undefined) return yield* say(one)
      if (digest === undefined)
        return yield* say(one, yield* makeToken(as, (yield* Clock.currentTimeMillis) + clockOffset))
      const cnonce = Hex.encode(yield* randomBytes(8))
      const signed = { method: "POST", uri: service.path, count: ++digest.count, cnonce }
      return yield* say(one, undefined, { authorization: authorization(digest.way, as, signed) })
    })

    const attempt = Effect.fnUntraced(function* <A>(one: Attempt<A>) {
      const { as, call } = one
      // what was taken is no trial any more: it is refused for want of rights
      const isTrial = as !== undefined && !isAccepted
      const trial = isTrial ? yield* as.trials.begin : undefined
      if (isTrial && trial === undefined) return yield* failed("AUTH_FAILED", tooManyTrials(as.trials))
      const reply = yield* Effect.onError(send(one), () => Effect.sync(() => trial?.void()))
      const { challenges: told, status } = reply
      const outcome = yield* Effect.result(
        status === 401 ? Effect.fail(new Refusal({ detail: "status 401" })) : answerIn(readXml, reply, call)
      )
      if (outcome._tag === "Success") {
        isAccepted ||= as !== undefined
        trial?.taken()
        return outcome.success
      }
      if (as === undefined || outcome.failure._tag !== "Refusal") {
        trial?.void()
        return yield* outcome.failure
      }
      const challenges = challengesIn(told)
      const isLate = digest !== undefined && isStale(challenges)
      if (isLate) trial?.void()
      else trial?.refused()
      const way = digest === undefined || isLate ? strongestWay(challenges, as.mayBeSentInClear) : undefined
      return yield* new Refusal({ detail: outcome.failure.detail, ...(way === undefined ? {} : { way }) })
    })

    /** what else is tried once where a password is refused: the way that the camera wants, else the right time */
    const other = ({ way }: Refusal): boolean => {
      if (way !== undefined) {
        digest = { way, count: 0 }
        return true
      }
      // some tell the time of their place for that in UTC, and go by the right one themselves
      if (isAccepted || digest !== undefined || Math.abs(clockOffset) < muchOff) return false
      clockOffset = 0
      return true
    }

    const askAs = <A>(as: RtspCredentials, call: OnvifCall<A>, service: ServiceAddress) =>
      Effect.catchTag(attempt({ as, call, service }), "Refusal", (refusal) =>
        other(refusal) ? attempt({ as, call, service }) : Effect.fail(refusal)
      )

    const ask = <A>(call: OnvifCall<A>, service: ServiceAddress): Effect.Effect<A, OnvifFailed> => {
      const { credentials } = target
      const asked =
        credentials === undefined
          ? attempt({ as: undefined, call, service })
          : call.isOpen
            ? Effect.catchTag(attempt({ as: undefined, call, service }), "Refusal", () =>
                askAs(credentials, call, service)
              )
            : askAs(credentials, call, service)
      return Effect.catchTag(asked, "Refusal", ({ detail }) =>
        Effect.fail(
          failed(
            "AUTH_FAILED",
            credentials === undefined ? "it wants a user and a password" : `it refuses them: ${detail}`
          )
        )
      )
    }

    const clock = yield* Effect.result(ask(getSystemDateAndTime, target))
    if (clock._tag === "Success") clockOffset = clock.success - (yield* Clock.currentTimeMillis)
    else if (clock.failure.kind === "UNREACHABLE" || clock.failure.kind === "CERTIFICATE_CHANGED") {
      return yield* clock.failure
    }
    const session: OnvifSession = {
      ask,
      clockFailure: clock._tag === "Failure" ? clock.failure : undefined,
      fingerprint: () => pinned.fingerprint
    }
    return session
  })
})

const answerIn = Effect.fnUntraced(function* <A>(
  readXml: ReadXml,
  { body, contentType: type, status }: WebReply,
  call: OnvifCall<A>
) {
  if (status >= 300 && status < 400) return yield* failed("REDIRECTED", "it sends to another address")
  const text = new TextDecoder().decode(body)
  if (!isSoap(text)) {
    const [kind = "no type"] = /^[\w.+/-]{1,64}/.exec(type) ?? []
    return yield* failed("PROTOCOL", `a web server answers there (status ${status}, ${kind}), and no ONVIF service`)
  }
  const envelope = yield* Effect.mapError(readXml(text), ({ detail }) =>
    failed("PROTOCOL", `what it answers to ${call.name} with status ${status} is not read: ${detail}`)
  )
  const said = saidIn(envelope, call)
  if (said._tag === "Fault") {
    if (said.isAuthorization) return yield* new Refusal({ detail: said.detail })
    return yield* failed("PROTOCOL", `it refuses ${call.name}: ${said.detail}`)
  }
  const value = said._tag === "Answer" ? call.read(said.answer) : undefined
  return value ?? (yield* failed("PROTOCOL", `what it answers to ${call.name} is not what ONVIF has`))
})

const isSoap = (text: string): boolean => /<(?:[\w-]+:)?Envelope\b/.test(text)

const failed = (kind: OnvifFailed["kind"], detail: string) => new OnvifFailed({ kind, detail })
