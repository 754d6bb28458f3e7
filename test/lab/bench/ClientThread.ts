import { setPriority } from "node:os"
import { parentPort, workerData } from "node:worker_threads"
import { WebSocket } from "ws"
import { monotonicSeconds } from "./KernelEvents.ts"

/*
 * A client in a thread of its own, whose ear the cameras' USB traffic does not fill: it stamps what it is told of one
 * camera and passes it on.
 */

/** What the thread is given. */
export interface ClientOptions {
  readonly url: string
  readonly token: string
  /** what the camera calls itself */
  readonly name: string
}

/** What it tells; without a status: it is authenticated. */
export interface Heard {
  readonly status?: string
  /** seconds of CLOCK_MONOTONIC */
  readonly at: number
}

const { name, token, url } = workerData as ClientOptions
// oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread's port has none
const tell = (heard: Heard): void => parentPort?.postMessage(heard)

// an instrument comes before what it measures
setPriority(-15)

const socket = new WebSocket(url, { perMessageDeflate: false })
socket.on("open", () =>
  socket.send(JSON.stringify({ jsonrpc: "2.0", id: 1, method: "authenticate", params: { auth_token: token } }))
)
socket.on("message", (data: Buffer) => {
  const at = monotonicSeconds()
  const { method, params } = JSON.parse(data.toString()) as {
    readonly method?: string
    readonly params?: { readonly name: string; readonly status: string }
  }
  if (method === undefined) tell({ at })
  else if (method === "camera_status_update" && params?.name === name) tell({ status: params.status, at })
})
