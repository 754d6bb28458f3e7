/** A client of plain types and the WebSocket that Node and browsers have: no library is needed. */
import type { Errors, Methods, Notifications } from "camera-service-client/types"

const url = process.env["CAMERA_URL"] ?? "ws://127.0.0.1:8002/ws"
const token = process.env["CAMERA_TOKEN"] ?? ""

type Reply = { id: number; result: never } | { id: number; error: { code: keyof Errors; message: string } }
type Told = { [Method in keyof Notifications]: { method: Method; params: Notifications[Method] } }[keyof Notifications]

const socket = new WebSocket(url)
const waiting = new Map<number, (reply: Reply) => void>()
socket.addEventListener("message", ({ data }) => {
  const message = JSON.parse(String(data)) as Reply | Told
  if ("id" in message) waiting.get(message.id)?.(message)
  else if (message.method === "recording_status_update") console.log("told", message.params.status)
})

let calls = 0
const call = <Method extends keyof Methods>(method: Method, params: Methods[Method]["params"]) =>
  new Promise<Methods[Method]["result"]>((resolve, reject) => {
    const id = ++calls
    waiting.set(id, (reply) => {
      waiting.delete(id)
      if ("result" in reply) resolve(reply.result)
      else reject(new Error(`${reply.error.message}: ${JSON.stringify(reply.error)}`))
    })
    socket.send(JSON.stringify({ jsonrpc: "2.0", id, method, params }))
  })

await new Promise((resolve, reject) => {
  socket.addEventListener("open", resolve)
  socket.addEventListener("error", () => reject(new Error(`there is no service at ${url}`)))
})
await call("authenticate", { auth_token: token })
const { cameras } = await call("get_camera_list", {})
for (const { device, name, status } of cameras) console.log(device, status, name)

const picture = await call("take_snapshot", { device: "camera0" })
console.log(picture.tier_name, `${picture.width}x${picture.height}`)
await call("start_recording", { device: "camera0" })
const { filename } = await call("stop_recording", { device: "camera0" })
console.log("recorded", filename)
socket.close()
