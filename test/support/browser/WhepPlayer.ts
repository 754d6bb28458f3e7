import type { Page } from "playwright-core"

/** Has the page's video show the stream at this address, over WHEP as any page may speak it. */
export const playWhep = (page: Page, address: string): Promise<void> =>
  page.evaluate(async (url) => {
    const peer = new RTCPeerConnection()
    peer.addTransceiver("video", { direction: "recvonly" })
    peer.ontrack = ({ streams: [stream] }) => {
      const video = document.querySelector("video")
      if (video === null) return
      video.muted = true
      video.autoplay = true
      video.srcObject = stream ?? null
    }
    await peer.setLocalDescription()
    const headers = { "content-type": "application/sdp" }
    const body = peer.localDescription?.sdp ?? ""
    const answer = await fetch(url, { method: "POST", headers, body })
    await peer.setRemoteDescription({ type: "answer", sdp: await answer.text() })
  }, address)
