import { once } from "node:events"
import { createServer } from "node:http"
import { getPriority, setPriority } from "node:os"
import { WebSocketServer } from "ws"

/**
 * The least that a JSON-RPC server in Node can be: `ws`, JSON.parse, a switch, JSON.stringify. It is sent the result of
 * get_camera_list that it shall give, and tells its port.
 */

interface Request {
  readonly jsonrpc: string
  readonly id: number
  readonly method: string
}

let cameraList: unknown

const resultOf = (method: string): unknown => {
  switch (method) {
    case "ping":
      return "pong"
    case "get_camera_list":
      return cameraList
  }
  throw new Error(`there is no ${method}`)
}

const server = createServer()
const sockets = new WebSocketServer({ server, perMessageDeflate: false })
sockets.on("connection", (socket) => {
  socket.on("message", (data: Buffer) => {
    const { id, method } = JSON.parse(data.toString()) as Request
    socket.send(JSON.stringify({ jsonrpc: "2.0", result: resultOf(method), id }))
  })
})

// As the service does: who comes first is woken for each message, who does not finds several at once, which costs a third less.
if (getPriority() === 0) {
  try {
    setPriority(-15)
  } catch {
    // neither could the service
  }
}

const [list] = (await once(process, "message")) as [unknown]
cameraList = list
server.listen(0, "127.0.0.1", () => {
  const address = server.address()
  process.send?.(typeof address === "object" && address !== null ? address.port : 0)
})
// whoever started it has gone
process.on("disconnect", () => process.exit())
