/** What the service says to an offer. */
interface Reply {
  readonly status: number
  readonly text: string
  /** why the browser does not take the answer */
  readonly objection: string | undefined
}

/** A connection that takes picture and sound into `media`, and its offer to receive them (WHEP, draft-ietf-wish-whep). */
export interface Offer {
  readonly peer: RTCPeerConnection
  readonly media: MediaStream
  /** rejects where the service does not answer */
  readonly reply: Promise<Reply>
  /** takes it back, and ends the session that came of it; done when that is told. The connection is left as it is */
  readonly takeBack: () => Promise<unknown>
}

/**
 * Offers to receive a camera, until it is taken back or the page goes. The offer goes before the browser has its own candidates
 * (0.1 s): MediaMTX tells its ones in the answer, and finds the browser's by itself.
 */
export const makeOffer = (device: string, bearer: string): Offer => {
  const media = new MediaStream()
  const peer = new RTCPeerConnection({ bundlePolicy: "max-bundle" })
  peer.addEventListener("track", ({ track }) => media.addTrack(track))
  peer.addTransceiver("video", { direction: "recvonly" })
  peer.addTransceiver("audio", { direction: "recvonly" })
  const abort = new AbortController()
  const address = `/whep/${device}`
  /** where it is ended: the path of its address */
  let session: string | undefined
  const send = async (): Promise<Reply> => {
    const description = await peer.createOffer()
    await peer.setLocalDescription(description)
    const response = await fetch(address, {
      method: "POST",
      body: description.sdp ?? "",
      headers: { authorization: bearer, "content-type": "application/sdp" },
      signal: abort.signal
    })
    const { headers, status } = response
    if (status === 201) {
      session = new URL(headers.get("location") ?? address, new URL(address, location.href)).pathname
      // it came all the same
      if (abort.signal.aborted) void end()
    }
    const text = await response.text()
    const objection = status === 201 ? await peer.setRemoteDescription({ type: "answer", sdp: text }).catch(String) : ""
    return { status, text, objection: objection || undefined }
  }
  const end = async () => {
    if (session === undefined) return
    const ended = session
    session = undefined
    // its address is its secret: the token of then may be over. Also where the page is going; where the service is gone so is it
    await fetch(ended, { method: "DELETE", keepalive: true }).catch(() => undefined)
  }
  const takeBack = () => {
    removeEventListener("pagehide", takeBack)
    abort.abort()
    return end()
  }
  // a tab that is closed runs nothing else, and MediaMTX would take 30 s to miss it
  addEventListener("pagehide", takeBack)
  const reply = send()
  // whoever waits for it hears of it
  reply.catch(() => undefined)
  return { peer, media, reply, takeBack }
}
