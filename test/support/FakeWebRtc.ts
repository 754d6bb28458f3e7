import * as Effect from "effect/Effect"
import { vi } from "vitest"

interface FakeWebRtc {
  /** what has been asked of the service: `POST /whep/camera0`; and with which credential, where a session is ended by one */
  readonly requests: ReadonlyArray<string>
  /** connections that are open */
  readonly open: () => number
  /** the tab is closed */
  readonly leave: () => void
}

/** also where a test has a clock of its own */
const later = setImmediate
const nextTask = () => new Promise((resume) => later(resume))

/**
 * A browser that speaks WebRTC with a service that says yes to each offer; `takesAnswer`: when the browser has taken the answer.
 * Until `vi.unstubAllGlobals`.
 */
export const fakeWebRtc = (takesAnswer: Promise<void> = Promise.resolve()): FakeWebRtc => {
  const requests: Array<string> = []
  let open = 0
  const page = new EventTarget()
  class Peer extends EventTarget {
    readonly connectionState = "connected"
    constructor() {
      super()
      open++
    }
    addTransceiver(): void {}
    /** other threads make it meanwhile */
    createOffer = () => nextTask().then(() => ({ type: "offer", sdp: "v=0" }))
    setLocalDescription = () => Promise.resolve()
    setRemoteDescription = () => takesAnswer
    close(): void {
      open--
    }
  }
  vi.stubGlobal("MediaStream", EventTarget)
  vi.stubGlobal("RTCPeerConnection", Peer)
  vi.stubGlobal("addEventListener", page.addEventListener.bind(page))
  vi.stubGlobal("removeEventListener", page.removeEventListener.bind(page))
  vi.stubGlobal("fetch", (path: string, { headers, method, signal }: RequestInit) => {
    if (signal?.aborted === true) return Promise.reject(new Error("taken back"))
    if (method === "DELETE") {
      const credential = new Headers(headers).get("authorization")
      requests.push(`${method} ${path}${credential === null ? "" : ` with ${credential}`}`)
      return Promise.resolve(new Response(""))
    }
    requests.push(`${method} ${path}`)
    return Promise.resolve(new Response("v=0", { status: 201, headers: { location: `${path}/1` } }))
  })
  return { requests, open: () => open, leave: () => void page.dispatchEvent(new Event("pagehide")) }
}

/** What is under way by itself has gone on as far as it goes. */
export const settled = Effect.promise(nextTask)
