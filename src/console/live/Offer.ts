/** What the service says to an offer. */
interface Reply {
  readonly status: number
  readonly text: string
  /** where the session is ended: the path of its address */
  readonly session: string
  /** why the browser does not take the answer */
  readonly objection: string | undefined
}

/** A connection that takes picture and sound into `media`, and its offer to receive them (WHEP, draft-ietf-wish-whep). */
export interface Offer {
  readonly peer: RTCPeerConnection
  readonly media: MediaStream
  /** rejects where the service does not answer */
  readonly reply: Promise<Reply>
  /** takes it back; the connection is left as it is */
  readonly takeBack: () => void
}

/**
 * Offers to receive a camera. The offer goes before the browser has its own candidates (0.1 s): MediaMTX tells its ones in the
 * answer, and finds the browser's by itself.
 */
export const makeOffer = (device: string, bearer: string): Offer => {
  const media = new MediaStream()
  const peer = new RTCPeerConnection({ bundlePolicy: "max-bundle" })
  peer.addEventListener("track", ({ track }) => media.addTrack(track))
  peer.addTransceiver("video", { direction: "recvonly" })
  peer.addTransceiver("audio", { direction: "recvonly" })
  const abort = new AbortController()
  const address = `/whep/${device}`
  const send = async (): Promise<Reply> => {
    const description = await peer.createOffer()
    await peer.setLocalDescription(description)
    const response = await fetch(address, {
      method: "POST",
      body: description.sdp ?? "",
      headers: { authorization: bearer, "content-type": "application/sdp" },
      signal: abort.signal
    })
    const session = new URL(response.headers.get("location") ?? address, new URL(address, location.href)).pathname
    const { status } = response
    const text = await response.text()
    const objection = status === 201 ? await peer.setRemoteDescription({ type: "answer", sdp: text }).catch(String) : ""
    return { status, text, session, objection: objection || undefined }
  }
  const reply = send()
  // whoever waits for it hears of it
  reply.catch(() => undefined)
  return { peer, media, reply, takeBack: () => abort.abort() }
}

/** Ends a session, also where the page is going. */
export const endSession = (session: string, bearer: string): Promise<unknown> =>
  fetch(session, { method: "DELETE", headers: { authorization: bearer }, keepalive: true }).catch(() => undefined)
