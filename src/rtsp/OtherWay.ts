import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type { Tcp } from "../ground/Tcp.ts"
import { dial } from "./Dialogue.ts"
import { RtspFailed } from "./RtspFailed.ts"
import type { RtspTarget } from "./Target.ts"

/** A machine that listens there, as this one just did, answers within that. */
const patience = "2 seconds"

const nothing = { frame: () => false, frames: () => undefined }

/** What it says to who asks it plainly; nothing that may be a secret is shown to it. */
const answersPlainly = Effect.fnUntraced(function* (tcp: Tcp["Service"], { address, port }: RtspTarget) {
  const { ask } = yield* dial(tcp, { address, port, url: "*", isSecure: false }, nothing)
  // a refusal is an answer, too
  yield* Effect.catchIf(
    ask("OPTIONS", "*"),
    ({ kind }) => kind === "AUTH_FAILED" || kind === "NOT_FOUND",
    () => Effect.void
  )
})

/** Connects by TLS, and says nothing. */
const takesTls = (tcp: Tcp["Service"], { address, port }: RtspTarget) =>
  Effect.asVoid(tcp.connect({ address, port, isSecure: true }, { heard: () => undefined, ended: () => undefined }))

const speaksOther = (tcp: Tcp["Service"], target: RtspTarget): Effect.Effect<boolean> => {
  const knock: Effect.Effect<void, unknown, Scope.Scope> = target.isSecure
    ? answersPlainly(tcp, target)
    : takesTls(tcp, target)
  return knock.pipe(Effect.scoped, Effect.timeout(patience), Effect.isSuccess)
}

/**
 * Where nothing came of the first words, or of TLS's: who speaks the other way, with TLS or without it, at this port is to be
 * asked so.
 */
export const unlessOtherWay =
  (tcp: Tcp["Service"], target: RtspTarget) =>
  <A, R>(asked: Effect.Effect<A, RtspFailed, R>): Effect.Effect<A, RtspFailed, R> =>
    Effect.catchIf(
      asked,
      ({ kind }) => kind === "UNREACHABLE",
      (failed) =>
        speaksOther(tcp, target).pipe(Effect.flatMap((isOther) => Effect.fail(isOther ? otherWay(target) : failed)))
    )

const otherWay = ({ fingerprint, isSecure }: RtspTarget): RtspFailed => {
  if (!isSecure) {
    return new RtspFailed({
      kind: "PROTOCOL",
      detail: "it speaks TLS at this port: its address begins with rtsps://"
    })
  }
  const detail = "it speaks RTSP without TLS at this port"
  // who stands between says that, too, to see what the password is shown by
  return fingerprint === undefined
    ? new RtspFailed({ kind: "PROTOCOL", detail: `${detail}: its address begins with rtsp://` })
    : new RtspFailed({ kind: "CERTIFICATE_CHANGED", detail: `${detail}, and it had TLS before` })
}
