import type { Browser, Page } from "playwright-core"
import type { Service } from "./Service.ts"

/**
 * The same wall without the console: a page with nothing but so many videos of the same size, which play the same stream
 * over connections of their own. What a browser does not show there no page can have it show.
 */
export const openBare = async (browser: Browser, { ground }: Service, count: number, device: string): Promise<Page> => {
  const page = await (await browser.newContext({ viewport: { width: 1600, height: 900 } })).newPage()
  const body = "<!doctype html><title></title><body></body>"
  await page.route("**/bare", (route) => route.fulfill({ contentType: "text/html", body }))
  await page.goto(`http://127.0.0.1:${ground.ports.SERVER_PORT}/bare`)
  await page.evaluate(
    async ({ address, token, videos }) => {
      document.body.style.cssText = "margin:0;height:100vh;display:grid;grid-template-columns:repeat(4,1fr)"
      const play = async () => {
        const video = document.createElement("video")
        video.style.cssText = "width:100%;height:100%;min-height:0"
        video.muted = true
        document.body.append(video)
        const peer = new RTCPeerConnection()
        const media = new MediaStream()
        video.srcObject = media
        peer.addEventListener("track", ({ track }) => media.addTrack(track))
        peer.addTransceiver("video", { direction: "recvonly" })
        await peer.setLocalDescription()
        const headers = { authorization: `Bearer ${token}`, "content-type": "application/sdp" }
        const answer = await fetch(address, { method: "POST", headers, body: peer.localDescription?.sdp ?? "" })
        await peer.setRemoteDescription({ type: "answer", sdp: await answer.text() })
        const shown = new Promise((resolve) => video.requestVideoFrameCallback(resolve))
        await video.play()
        await shown
        performance.mark("picture")
      }
      for (let video = 0; video < videos; video++) await play()
    },
    { address: `/whep/${device}`, token: ground.token, videos: count }
  )
  return page
}
