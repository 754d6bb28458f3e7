import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
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

/**
 * A live stream over WebRTC (WHEP, draft-ietf-wish-whep), until the scope closes. An idle camera starts, which is waited for.
 * The offer goes before the browser has its own candidates (0.1 s): MediaMTX tells its ones in the answer, and finds the
 * browser's by itself.
 */
export const whep = (
  device: string,
  bearer: string
): Effect.Effect<{ readonly peer: RTCPeerConnection; readonly media: MediaStream }, LiveFailed, Scope.Scope> =>
  Effect.gen(function* () {
    const media = new MediaStream()
    const peer = yield* Effect.acquireRelease(inOpeningTurn(Effect.sync(() => openPeer(media))), (opened) =>
      inClosingTurn(Effect.sync(() => opened.close()))
    )
    yield* Effect.promise(async () => peer.setLocalDescription(await peer.createOffer()))

    const end = (session: string) =>
      // the page may be going too
      fetch(session, { method: "DELETE", headers: { authorization: bearer }, keepalive: true }).catch(() => undefined)
    const { answer, session } = yield* Effect.acquireRelease(
      offer(device, bearer, peer.localDescription?.sdp ?? ""),
      // before the connection is closed, by which the session would end too; not for long: the service may be gone
      (opened) =>
        Effect.promise(() => Promise.race([end(opened.session), new Promise((over) => setTimeout(over, endTime))])),
      // a camera that starts takes seconds; a session that nobody connects to ends by itself
      { interruptible: true }
    )
    // a tab that is closed runs nothing else, and MediaMTX would take 10 s to miss it
    const leave = () => void end(session)
    yield* Effect.acquireRelease(
      Effect.sync(() => addEventListener("pagehide", leave)),
      () => Effect.sync(() => removeEventListener("pagehide", leave))
    )
    yield* Effect.tryPromise({
      try: () => peer.setRemoteDescription({ type: "answer", sdp: answer }),
      catch: (cause) =>
        new LiveFailed({ kind: "unplayable", reason: `the browser does not take the offer: ${String(cause)}` })
    })
    return { peer, media }
  })

/** It takes what comes of picture and sound into `media`. */
const openPeer = (media: MediaStream): RTCPeerConnection => {
  const peer = new RTCPeerConnection({ bundlePolicy: "max-bundle" })
  peer.addEventListener("track", ({ track }) => media.addTrack(track))
  peer.addTransceiver("video", { direction: "recvonly" })
  peer.addTransceiver("audio", { direction: "recvonly" })
  return peer
}

const offer = Effect.fnUntraced(function* (device: string, bearer: string, sdp: string) {
  const address = `/whep/${device}`
  const reply = yield* Effect.tryPromise({
    try: async (signal) => {
      const headers = { authorization: bearer, "content-type": "application/sdp" }
      const response = await fetch(address, { method: "POST", body: sdp, headers, signal })
      return { status: response.status, text: await response.text(), session: response.headers.get("location") }
    },
    catch: () => new LiveFailed({ kind: "absent", reason: "the service does not answer" })
  })
  const { session, status, text } = reply
  if (status === 201) {
    return {
      answer: text,
      session: session === null ? address : new URL(session, new URL(address, location.href)).pathname
    }
  }
  return yield* refusalOf(status, text)
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
