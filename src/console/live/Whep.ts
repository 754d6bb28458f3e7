import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import { takeFirstOffer } from "./FirstOffer.ts"
import { makeOffer } from "./Offer.ts"
import { inClosingTurn, inOpeningTurn } from "./Turns.ts"

/** Why there is no live picture, and what kind of a reason that is. */
export class LiveFailed extends Schema.TaggedError<LiveFailed>()("LiveFailed", {
  /**
   * `refused`: the token does not open it. `unplayable`: this way of transport will not do, another may. `absent`: nothing
   * to play now; later there may be.
   */
  kind: Schema.Literals(["refused", "unplayable", "absent"]),
  reason: Schema.String
}) {}

/** Milliseconds. */
const endTime = 200

/** A live stream over WebRTC (WHEP, draft-ietf-wish-whep), until the scope closes. An idle camera starts, which is waited for. */
export const whep = (
  device: string,
  bearer: string
): Effect.Effect<{ readonly peer: RTCPeerConnection; readonly media: MediaStream }, LiveFailed, Scope.Scope> =>
  Effect.gen(function* () {
    const { media, peer, reply } = yield* Effect.acquireRelease(
      inOpeningTurn(
        Effect.try({
          try: () => takeFirstOffer(device, bearer) ?? makeOffer(device, bearer),
          catch: () => new LiveFailed({ kind: "unplayable", reason: "this browser has no WebRTC" })
        })
      ),
      (made) =>
        Effect.andThen(
          // before the connection is closed, by which the session would end too; not for long: the service may be gone
          Effect.promise(() => Promise.race([made.takeBack(), new Promise((over) => setTimeout(over, endTime))])),
          inClosingTurn(Effect.sync(() => made.peer.close()))
        )
    )
    const { objection, status, text } = yield* Effect.tryPromise({
      try: () => reply,
      catch: () => new LiveFailed({ kind: "absent", reason: "the service does not answer" })
    })
    if (status !== 201) return yield* refusalOf(status, text)
    if (objection === undefined) return { peer, media }
    return yield* new LiveFailed({ kind: "unplayable", reason: `the browser does not take the answer: ${objection}` })
  })

/** What a refusal of a live stream means, over WHEP and HLS alike. */
export const refusalOf = (status: number, text: string): LiveFailed => {
  if (status === 401 || status === 403) {
    return new LiveFailed({ kind: "refused", reason: "your token does not open this camera" })
  }
  const said = wordsIn(text)
  // what MediaMTX says of codecs that the transport cannot carry
  if (status === 400 || status === 406 || status === 415) {
    return new LiveFailed({ kind: "unplayable", reason: said ?? `refused with status ${status}` })
  }
  return new LiveFailed({ kind: "absent", reason: said ?? `the service answers with status ${status}` })
}

/** What a refusal says, in the words of JSON-RPC's errors. */
const wordsIn = (text: string): string | undefined => {
  try {
    const { error } = JSON.parse(text) as {
      readonly error?: { readonly data?: Readonly<Record<string, unknown>> }
    }
    const words = error?.data?.["detail"] ?? error?.data?.["hint"] ?? error?.data?.["reason"]
    return typeof words === "string" && words !== "" ? words : undefined
  } catch {
    return undefined
  }
}
